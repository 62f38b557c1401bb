// LayerDetails is all that the store knows of one layer.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// A layer with its parts and who has it.
public struct LayerDetails: Sendable {
    public struct Blob: Sendable, Hashable {
        public var digest: Digest
        /// Bytes.
        public var size: Int64
        /// Whether it is in the store as it came.
        public var isKept: Bool
    }

    public var layer: Layer
    /// Bytes of the tar that are no object's.
    public var streamSize: Int64
    /// Objects of the layer, each counted once, and their bytes in its tar.
    public var objectCount: Int
    public var objectSize: Int64
    public var blobs: [Blob]
    /// Ids of the images that have it.
    public var images: [Digest]
    /// Ids of the sandboxes that stand on it.
    public var sandboxes: [String]
    /// Where its files are.
    public var directory: ByteString
}

extension Engine {
    /// Everything about a layer. O(images + sandboxes + objects of the layer).
    ///
    /// Throws `notFound` for a diffID that the catalogue does not have.
    public func layerDetails(_ diffID: Digest) throws(LaminaError) -> LayerDetails {
        let record = try catalogue { catalog throws(CatalogError) in try catalog.layer(diffID) }
        guard let record else { throw LaminaError(.notFound, "\(diffID)", "no such layer") }
        let images = try catalogue { catalog throws(CatalogError) in try catalog.images() }
            .filter { $0.diffIDs.contains(diffID) }
        let sandboxes = try catalogue { catalog throws(CatalogError) in try catalog.sandboxes() }
            .filter { $0.diffIDs.contains(diffID) }
        let splits = try Self.storing("layer \(diffID)") { () throws(StoreError) in
            try store.readSplits(diffID)
        }
        let blobs = record.blobs.filter { $0.digest != diffID }.map {
            LayerDetails.Blob(digest: $0.digest, size: $0.size, isKept: store.hasBlob($0.digest))
        }
        return LayerDetails(
            layer: Layer(
                diffID: diffID, tarSize: record.tarSize, entryCount: record.entryCount,
                blobs: blobs.map(\.digest), imageCount: images.count),
            streamSize: record.streamSize, objectCount: Set(splits.objects).count,
            objectSize: splits.records.reduce(0) { $0 &+ Int64(clamping: $1.length) }, blobs: blobs,
            images: images.map(\.id), sandboxes: sandboxes.map(\.id),
            directory: root.appending("layers").appending(StorePath.layer(diffID)))
    }
}
