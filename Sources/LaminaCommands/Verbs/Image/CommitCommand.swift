// `lamina commit`: a sandbox becomes an image.

import ArgumentParser
import LaminaEngine

/// `lamina commit`
struct CommitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Make an image of what a sandbox changed, and print its id.",
        discussion: """
            The sandbox may be mounted and written to: names and attributes are of one instant, and what was \
            synced before is there. What volumes and binds hold is not in the image. The same changes give the \
            same layer.

            Changes are instructions of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, \
            USER, VOLUME, WORKDIR.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: [.short, .long], help: "Who made it, such as \"Ann <ann@example.org>\".")
    var author: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Change the image's config, as often as wanted.", valueName: "instruction"))
    var change: [String] = []

    @Option(name: [.short, .long], help: "A comment for the image's history.")
    var message: String?

    @Flag(
        name: [.short, .long],
        help: "Freeze what runs in it meanwhile, so that the bytes of all files are of one instant too.")
    var pause = false

    @OptionGroup var compression: CompressionOptions

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    @Argument(help: ArgumentHelp("A name for the image.", valueName: "repository[:tag]"))
    var reference: String?

    func run() throws {
        var options = CommitOptions()
        options.author = author
        options.message = message
        options.changes = change
        options.pauses = pause
        options.compression = try compression.value()
        let id = try Interruption.during { cancellation throws(LaminaError) in
            options.cancellation = cancellation
            return try global.engine().commit(sandbox, as: reference, options)
        }
        print(id)
    }
}

/// How layers that are made are compressed.
struct CompressionOptions: ParsableArguments {
    @Option(help: "Compress the layer with zstd, gzip, lz4 (for Lamina alone) or none.")
    var compression: LayerCompression.Codec = .zstd

    @Option(help: "The codec's level: zstd 1 to 19, gzip 0 to 3, lz4 0 to 12.")
    var level: Int32?

    func value() throws(LaminaError) -> LayerCompression {
        try LayerCompression(compression, level: level)
    }
}

extension LayerCompression.Codec: ExpressibleByArgument {}
