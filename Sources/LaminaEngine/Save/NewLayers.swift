// NewLayers owns the compressed layers that are made for one archive, each once, because the store has none any more.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// Compresses layers for an archive.
struct NewLayers {
    private let engine: Engine
    private let compression: LayerCompression?
    private let report: (RewrittenLayer) -> Void
    private var made: [Digest: (digest: Digest, size: UInt64)] = [:]

    /// - Parameter compression: nil for zstd, and for plain tars of images that never had a manifest.
    init(_ engine: Engine, _ compression: LayerCompression?, _ report: @escaping (RewrittenLayer) -> Void) {
        self.engine = engine
        self.compression = compression
        self.report = report
    }

    /// Writes the layers of an image whose manifest cannot be kept, and gives it one that lists them.
    mutating func add(to image: inout SavedImage, _ writer: inout ArchiveWriter) throws(LaminaError) {
        let isMade = image.hasLostBlobs || image.record.manifests.isEmpty
        guard isMade, let compression = compression ?? (image.hasLostBlobs ? .standard : nil),
            compression.codec != .none
        else { return }
        let type = MediaType.layer(compression.compression)
        var descriptors: [[String: Any]] = []
        for index in image.layers.indices {
            let new = try make(image.record.diffIDs[index], compression, &writer)
            image.layers[index] = (new.digest, .blob(size: new.size))
            descriptors.append(Engine.descriptor(type, new.digest, size: Int64(clamping: new.size)))
        }
        image.manifest = Engine.manifest(config: image.config, layers: descriptors)
    }

    private mutating func make(
        _ diffID: Digest, _ compression: LayerCompression, _ writer: inout ArchiveWriter
    ) throws(LaminaError) -> (digest: Digest, size: UInt64) {
        if let known = made[diffID] { return known }
        let name = "layer \(diffID)"
        var blob = try engine.compress(diffID, compression, writer.cancellation, named: name)
        let digest = blob.finish()
        try writer.add(ImagePlanner.blobMember(digest), digest, blob)
        made[diffID] = (digest, blob.size)
        report(RewrittenLayer(diffID: diffID, blob: digest, codec: compression.codec))
        return (digest, blob.size)
    }
}
