// `lamina save`: images into one archive.

import ArgumentParser
import LaminaEngine

/// `lamina save`
struct SaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write images into a tar, to stdout by default.",
        discussion: """
            oci-archive is an OCI layout; an image keeps its manifest and digest as long as the store has its \
            blobs. docker-archive is what docker save wrote before version 25. A repository without a tag stands \
            for all its tags.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: "oci-archive or docker-archive.")
    var format: SaveFormat = .oci

    @Option(name: [.short, .long], help: ArgumentHelp("Write to a file.", valueName: "file"))
    var output: String?

    @Argument(help: ArgumentHelp("References, ids, or starts of ids.", valueName: "image"))
    var images: [String]

    func run() throws {
        try Interruption.during { cancellation throws(LaminaError) in
            let engine = try global.engine()
            try OutputFile.write(to: output) { file throws(LaminaError) in
                try engine.save(images, as: format, to: file, cancellation: cancellation)
            }
        }
    }
}

extension SaveFormat: ExpressibleByArgument {}
