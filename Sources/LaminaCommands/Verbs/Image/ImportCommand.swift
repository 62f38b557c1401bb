// `lamina import`: a root filesystem becomes an image.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina import`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an image of a root filesystem, and print its id.",
        discussion: """
            FILE is a tar, plain or compressed with gzip, zstd or lz4, whose bytes become the layer; or a \
            directory, or - for a tar on stdin. Changes are those of lamina commit.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Change the image's config, as often as wanted.", valueName: "instruction"))
    var change: [String] = []

    @Option(name: [.short, .long], help: "A comment for the image's history.")
    var message: String?

    @Option(help: ArgumentHelp("What it runs on, if not on this machine.", valueName: "os/arch[/variant]"))
    var platform: String?

    @OptionGroup var compression: CompressionOptions

    @Argument(help: ArgumentHelp("The root filesystem.", valueName: "file|dir|-"))
    var input: String

    @Argument(help: ArgumentHelp("A name for the image.", valueName: "repository[:tag]"))
    var reference: String?

    func run() throws {
        if input == "-" && Terminal.inputIsTerminal {
            throw ValidationError("nothing to import: give a FILE or DIR, or a tar on stdin")
        }
        var options = ImportOptions()
        options.changes = change
        options.message = message
        options.platform = platform
        options.compression = try compression.value()
        let source: LoadInput = input == "-" ? .standardInput : .path(ByteString(input))
        let id = try Interruption.during { cancellation throws(LaminaError) in
            options.cancellation = cancellation
            return try global.engine().importImage(source, as: reference, options)
        }
        print(id)
    }
}
