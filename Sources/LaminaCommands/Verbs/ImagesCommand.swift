// `lamina images`: one row for each name of each image.

import ArgumentParser
import LaminaEngine

/// `lamina images`
struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List images.",
        discussion: "With --format json each line is one object, as with docker images.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Print ids only.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Print whole ids.")
    var noTruncation = false

    @Option(help: "table or json.")
    var format: ListFormat = .table

    func run() throws {
        let images = try global.engine().images()
        if quiet {
            for image in images { print(noTruncation ? "\(image.id)" : Format.short(image.id)) }
            return
        }
        switch format {
        case .json: for image in images { for line in json(image) { print(line) } }
        case .table: printTable(images)
        }
    }

    private func names(_ image: Image) -> [String] {
        image.references.isEmpty ? ["<none>"] : image.references.map(ImageReference.familiar)
    }

    private func printTable(_ images: [Image]) {
        var table = Table(["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"])
        for image in images {
            for name in names(image) {
                table.add([
                    name, noTruncation ? "\(image.id)" : Format.short(image.id),
                    Format.size(image.diskUsage), Format.size(image.contentSize),
                    image.sandboxes.isEmpty ? "" : "U",
                ])
            }
        }
        for line in table.lines() { print(line) }
    }

    private func json(_ image: Image) -> [String] {
        names(image).map { name in
            Format.json([
                "Image": name, "ID": "\(image.id)", "DiskUsage": image.diskUsage,
                "ContentSize": image.contentSize, "InUse": !image.sandboxes.isEmpty,
                "Created": image.created ?? "", "Platform": "\(image.os)/\(image.architecture)",
            ])
        }
    }
}
