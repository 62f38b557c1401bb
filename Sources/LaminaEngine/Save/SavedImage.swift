// SavedImage is an image as it is written into an archive: the documents by which it is found there, and
// where each blob that they name comes from.

import Foundation
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

/// A blob of an archive.
enum SavedBlob: Sendable {
    case document([UInt8])
    /// A blob of the store.
    case blob(size: UInt64)
    /// The tar of a layer, which is named by its diffID.
    case layer(size: UInt64)

    var size: UInt64 {
        switch self {
        case .document(let bytes): UInt64(bytes.count)
        case .blob(let size), .layer(let size): size
        }
    }
}

/// An image with all its blobs.
struct SavedImage {
    var record: ImageRecord
    /// Normalised; those under which it is saved.
    var references: [String]
    /// Whether its own manifest cannot be kept, because blobs that it lists were dropped.
    var hasLostBlobs = false
    var manifest: Document
    var config: Document
    /// What the manifest lists, lowest first.
    var layers: [(digest: Digest, blob: SavedBlob)]
}

extension Engine {
    /// The images that names mean, as Docker takes them: a repository without a tag stands for all its tags,
    /// an id for the image without a name. Each image once.
    func imagesToSave(_ names: [String]) throws(LaminaError) -> [(record: ImageRecord, references: [String])]
    {
        var result: [(record: ImageRecord, references: [String])] = []
        func add(_ record: ImageRecord, _ references: [String]) {
            if let index = result.firstIndex(where: { $0.record.id == record.id }) {
                for reference in references where !result[index].references.contains(reference) {
                    result[index].references.append(reference)
                }
            } else {
                result.append((record, references))
            }
        }
        let all = try catalogue { catalog throws(CatalogError) in try catalog.images() }
        for name in names {
            let reference = try? ImageReference(name)
            let hasTag = name.split(separator: "/").last?.contains(":") == true || name.contains("@")
            if let reference, !hasTag {
                let repository = "\(reference.domain)/\(reference.path):"
                let tagged = all.filter { $0.references.contains { $0.hasPrefix(repository) } }
                for record in tagged { add(record, record.references.filter { $0.hasPrefix(repository) }) }
                if !tagged.isEmpty { continue }
            }
            let record = try record(name)
            let normalised = reference?.normalised
            add(record, record.references.filter { $0 == normalised })
        }
        return result
    }

    /// Finds everything of an image. Its newest manifest stays as it is if all its blobs can be given back;
    /// otherwise the image gets another one that lists its layers as plain tars. Config and layers are the
    /// same either way.
    func savedImage(
        _ record: ImageRecord, _ references: [String], plain: Bool
    ) throws(LaminaError) -> SavedImage {
        let config = Document(MediaType.ociConfig, try document(record.id))
        if !plain {
            for row in record.manifests {
                guard let layers = try keptLayers(row, of: record) else { continue }
                let manifest = Document(row.mediaType, try document(row.digest))
                return SavedImage(
                    record: record, references: references, manifest: manifest, config: config, layers: layers
                )
            }
        }
        var layers: [(digest: Digest, blob: SavedBlob)] = []
        for diffID in record.diffIDs { layers.append((diffID, .layer(size: try tarSize(diffID)))) }
        let manifest = Self.manifest(config: config, layers: try plainDescriptors(of: record.diffIDs))
        return SavedImage(
            record: record, references: references, hasLostBlobs: !plain && !record.manifests.isEmpty,
            manifest: manifest, config: config, layers: layers)
    }

    /// The layers of a manifest as it lists them; nil when one cannot be given back.
    private func keptLayers(
        _ manifest: ManifestRecord, of image: ImageRecord
    ) throws(LaminaError) -> [(digest: Digest, blob: SavedBlob)]? {
        guard manifest.blobs.count == image.diffIDs.count else { return nil }
        var layers: [(digest: Digest, blob: SavedBlob)] = []
        for (digest, diffID) in zip(manifest.blobs, image.diffIDs) {
            if digest == diffID {
                layers.append((digest, .layer(size: try tarSize(diffID))))
            } else if store.hasBlob(digest) {
                layers.append((digest, .blob(size: try blobSize(digest))))
            } else {
                return nil
            }
        }
        return layers
    }

    private func document(_ digest: Digest) throws(LaminaError) -> [UInt8] {
        try Self.storing("blob \(digest)") { () throws(StoreError) in try store.readBlob(digest) }
    }

    private func tarSize(_ diffID: Digest) throws(LaminaError) -> UInt64 {
        try Self.storing("layer \(diffID)") { () throws(StoreError) in try store.readSplits(diffID).tarSize }
    }

    private func blobSize(_ digest: Digest) throws(LaminaError) -> UInt64 {
        let file = try Self.storing("blob \(digest)") { () throws(StoreError) in try store.openBlob(digest) }
        let status = try Self.system(ByteString("blob \(digest)")) { () throws(Errno) in try file.status() }
        return UInt64(clamping: status.size)
    }
}
