// The fields of a layer as `lamina inspect` and `lamina layer inspect` show them.

import LaminaEngine

enum LayerFields {
    static func all(_ details: LayerDetails) -> [String: Any] {
        let layer = details.layer
        return [
            "Kind": "layer", "DiffID": "\(layer.diffID)", "TarSize": layer.tarSize,
            "StreamSize": details.streamSize, "Entries": layer.entryCount,
            "Objects": details.objectCount, "ObjectSize": details.objectSize,
            "Blobs": details.blobs.map { blob in
                ["Digest": "\(blob.digest)", "Size": blob.size, "Kept": blob.isKept] as [String: Any]
            },
            "Images": details.images.map(\.description), "Sandboxes": details.sandboxes,
            "Directory": details.directory.description,
        ]
    }
}
