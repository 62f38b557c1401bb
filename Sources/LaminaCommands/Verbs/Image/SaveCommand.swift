// `lamina save`: images into one archive.

import ArgumentParser
import LaminaEngine

/// `lamina save`
struct SaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write images into a tar, to stdout by default.",
        discussion: """
            oci-archive is an OCI layout; an image keeps its manifest and digest as long as the store has its \
            blobs. Layers whose blobs were dropped are compressed anew, under new digests and with the same diffIDs, \
            which is said of each. docker-archive is what docker save wrote before version 25, with plain tars. A \
            repository without a tag stands for all its tags.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: "oci-archive or docker-archive.")
    var format: SaveFormat = .oci

    @Option(name: [.short, .long], help: ArgumentHelp("Write to a file.", valueName: "file"))
    var output: String?

    @Option(
        help:
            "Compress layers that are written anew with zstd (the default), gzip, lz4 (for Lamina alone) or none."
    )
    var compression: LayerCompression.Codec?

    @Option(help: "The codec's level: zstd 1 to 19, gzip 0 to 3, lz4 0 to 12.")
    var level: Int32?

    @Argument(help: ArgumentHelp("References, ids, or starts of ids.", valueName: "image"))
    var images: [String]

    func run() throws {
        let wanted: LayerCompression? =
            compression == nil && level == nil
            ? nil : try LayerCompression(compression ?? .zstd, level: level)
        try Interruption.during { cancellation throws(LaminaError) in
            let engine = try global.engine()
            try OutputFile.write(to: output) { file throws(LaminaError) in
                try engine.save(
                    images, as: format, compression: wanted, to: file, cancellation: cancellation
                ) { layer in
                    Terminal.error(
                        "layer \(layer.diffID): compressed anew with \(layer.codec.rawValue), as blob \(layer.blob)"
                    )
                }
            }
        }
    }
}

extension SaveFormat: ExpressibleByArgument {}
