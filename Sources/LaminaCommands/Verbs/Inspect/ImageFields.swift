// The fields of an image as `lamina inspect` shows them: Docker's, and what the store knows.

import Foundation
import LaminaEngine

enum ImageFields {
    static func all(_ image: Image, config: [UInt8]) -> [String: Any] {
        let document = try? JSONSerialization.jsonObject(with: Data(config)) as? [String: Any]
        let names = image.references.map(ImageReference.familiar)
        var fields: [String: Any] = [
            "Kind": "image", "Id": "\(image.id)", "RepoTags": names,
            "RepoDigests": image.manifests.first.map { manifest in
                Set(image.references.compactMap { try? ImageReference($0) }.map { $0.repository })
                    .sorted().map { "\($0)@\(manifest)" }
            } ?? [],
            "Manifests": image.manifests.map(\.description), "ChainID": "\(image.chainID)",
            "RootFS": ["Type": "layers", "Layers": image.diffIDs.map(\.description)] as [String: Any],
            "Architecture": image.architecture, "Os": image.os, "Loaded": Format.time(image.loaded),
            "Author": document?["author"] as? String ?? "", "Size": image.unpackedSize,
            "Comment": (document?["history"] as? [[String: Any]])?.last?["comment"] as? String ?? "",
            "DiskUsage": image.diskUsage, "ContentSize": image.contentSize,
            "UnpackedSize": image.unpackedSize,
            "Sandboxes": image.sandboxes, "Config": document?["config"] ?? [String: Any](),
        ]
        if let variant = image.variant { fields["Variant"] = variant }
        if let created = image.created { fields["Created"] = created }
        return fields
    }
}

extension ImageReference {
    /// The familiar name without tag and digest.
    var repository: String {
        let normalised = "\(domain)/\(path)"
        return Self.familiar(normalised)
    }
}
