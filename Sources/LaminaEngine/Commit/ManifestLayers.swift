// ManifestLayers owns the descriptors by which a manifest that Lamina makes names the layers of its base.

import Foundation
import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// Descriptors of an image's layers, lowest first: as its newest manifest has them, annotations and URLs
    /// too, where it has one whose blobs are kept; else of the plain tars, which are never lost.
    func layerDescriptors(of image: ImageRecord) throws(LaminaError) -> [[String: Any]] {
        for manifest in image.manifests {
            if let found = try keptDescriptors(manifest, of: image) { return found }
        }
        return try plainDescriptors(of: image.diffIDs)
    }

    /// Nil when the manifest's layers cannot all be given back.
    private func keptDescriptors(
        _ manifest: ManifestRecord, of image: ImageRecord
    ) throws(LaminaError) -> [[String: Any]]? {
        guard manifest.blobs.count == image.diffIDs.count,
            zip(manifest.blobs, image.diffIDs).allSatisfy({ $0 == $1 || store.hasBlob($0) })
        else { return nil }
        let bytes = try Self.storing("manifest \(manifest.digest)") { () throws(StoreError) in
            try store.readBlob(manifest.digest)
        }
        let document = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        guard var layers = document?["layers"] as? [[String: Any]], layers.count == image.diffIDs.count else {
            return nil
        }
        for index in layers.indices {
            guard let type = layers[index]["mediaType"] as? String else { return nil }
            layers[index]["mediaType"] = MediaType.oci(layer: type)
        }
        return layers
    }

    /// Descriptors of the layers' tars.
    func plainDescriptors(of diffIDs: [Digest]) throws(LaminaError) -> [[String: Any]] {
        var result: [[String: Any]] = []
        for diffID in diffIDs {
            let layer = try catalogue { catalog throws(CatalogError) in try catalog.layer(diffID) }
            guard let layer else { throw LaminaError(.notFound, "layer \(diffID)", "is not in the store") }
            result.append(Self.descriptor(MediaType.layer(.none), diffID, size: layer.tarSize))
        }
        return result
    }

    static func descriptor(_ mediaType: String, _ digest: Digest, size: Int64) -> [String: Any] {
        ["mediaType": mediaType, "digest": "\(digest)", "size": size]
    }

    /// The bytes of an OCI manifest.
    static func manifest(config: Document, layers: [[String: Any]]) -> Document {
        let bytes = JSONBytes.of([
            "schemaVersion": 2, "mediaType": MediaType.ociManifest,
            "config": descriptor(config.mediaType, config.digest, size: Int64(config.bytes.count)),
            "layers": layers,
        ])
        return Document(MediaType.ociManifest, bytes)
    }
}
