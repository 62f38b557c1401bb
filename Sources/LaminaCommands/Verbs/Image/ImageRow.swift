// ImageRow owns what a list says of one name of one image, and ImageTree the list with what is beneath.

import LaminaCore
import LaminaEngine

/// One name of an image, or an image without one.
struct ImageRow {
    var image: Image
    /// Normalised.
    var reference: String?
    var isWhole: Bool

    static var view: ListView<ImageRow> { view(digests: false) }

    /// Docker's fields, and ours: those of its table.
    static func view(digests: Bool) -> ListView<ImageRow> {
        ListView(
            fields: [
                .init("Image", "IMAGE") { $0.name },
                .init("Repository", "REPOSITORY") { $0.parts.repository },
                .init("Tag", "TAG") { $0.parts.tag },
                .init("Digest", "DIGEST") { $0.image.manifests.first?.description ?? "<none>" },
                .init("ID", "ID") { $0.isWhole ? "\($0.image.id)" : Format.short($0.image.id) },
                .init("CreatedSince", "CREATED") { $0.image.createdSeconds.map { Format.age($0) } ?? "N/A" },
                .init("CreatedAt", "CREATED AT") { $0.image.createdSeconds.map(Format.goTime) ?? "N/A" },
                .init("Size", "SIZE") { Format.size($0.image.unpackedSize) },
                .init("DiskUsage", "DISK USAGE") { Format.size($0.image.diskUsage) },
                .init("ContentSize", "CONTENT SIZE") { Format.size($0.image.contentSize) },
                .init("Containers", "CONTAINERS") { "\($0.image.sandboxes.count)" },
                .init("Platform", "PLATFORM") { $0.image.platform },
                .init("Extra", "EXTRA") { $0.image.sandboxes.isEmpty ? "" : "U" },
            ],
            table: ["Image"] + (digests ? ["Digest"] : []) + ["ID", "DiskUsage", "ContentSize", "Extra"])
    }

    private var name: String { reference.map(ImageReference.familiar) ?? "<none>" }

    private var parts: (repository: String, tag: String) {
        guard reference != nil else { return ("<none>", "<none>") }
        var rest = name[...]
        if let at = rest.firstIndex(of: "@") { rest = rest[..<at] }
        guard let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") else {
            return (String(rest), "<none>")
        }
        return (String(rest[..<colon]), String(rest[colon...].dropFirst()))
    }
}

extension Image {
    /// As Docker writes platforms: `linux/arm64/v8`.
    var platform: String { "\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? "") }
}

/// `images --tree`: names above each other, and what was loaded of an image beneath them.
enum ImageTree {
    static func lines(_ images: [Image]) -> [String] {
        var table = Table(["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"])
        for (index, image) in images.enumerated() {
            if index > 0 { table.add([]) }
            let names =
                image.references.isEmpty ? ["<untagged>"] : image.references.map(ImageReference.familiar)
            for name in names.dropLast() { table.add([name]) }
            let cells = [
                Format.size(image.diskUsage), Format.size(image.contentSize),
                image.sandboxes.isEmpty ? "" : "U",
            ]
            table.add([names.last ?? "", Format.short(image.id)] + cells)
            // An image of a docker-archive has no manifest: its config says what it is.
            let manifests = image.manifests.isEmpty ? [image.id] : image.manifests
            for (place, manifest) in manifests.enumerated() {
                let branch = place + 1 == manifests.count ? "└─ " : "├─ "
                table.add([branch + image.platform, Format.short(manifest)] + cells)
            }
        }
        return table.lines()
    }
}
