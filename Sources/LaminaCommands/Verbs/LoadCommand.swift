// `lamina load`: an archive or layout in, names of images out.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina load`
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load images from an OCI layout or a docker-archive.",
        discussion: """
            The input is a layout's directory, a tar of a layout or of docker save, plain or compressed \
            with gzip, zstd or lz4, or - for such a tar on stdin. Every digest is verified. A layout that \
            names an image by a tag alone gives it the name of the layout's file or directory.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: [.short, .long], help: ArgumentHelp("What to load; - is stdin.", valueName: "file|dir|-"))
    var input = "-"

    @Flag(name: [.short, .long], help: "Print no progress.")
    var quiet = false

    func run() throws {
        let engine = try global.engine()
        let progress = LoadProgressView(isQuiet: quiet)
        defer { progress.finish() }
        let loaded = try engine.load(input == "-" ? .standardInput : .path(ByteString(input))) { event in
            progress.show(event)
        }
        progress.finish()
        for image in loaded {
            for reference in image.references { print("Loaded image: \(ImageReference.familiar(reference))") }
            if image.references.isEmpty { print("Loaded image ID: \(image.id)") }
        }
    }
}
