// Recording an image that Lamina made: its layer, compressed as wanted, and its documents.

import Foundation
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaStore

/// A layer that was made here, with the blob by which a manifest names it.
struct NewLayer {
    var summary: LayerSummary
    var descriptor: [String: Any]
    var blob: Digest
}

extension Engine {
    /// Puts the tar of `source` into the store as a layer with its blob, claimed for `owner`. The caller holds a
    /// lease.
    func makeLayer<Source: ByteSource & Sendable & ~Copyable>(
        _ source: consuming Source, _ compression: LayerCompression, _ cancellation: Cancellation,
        owner: String, named name: String
    ) throws(LaminaError) -> NewLayer {
        var options = IngestOptions()
        options.keepBlob = false
        options.progress = { _ in !cancellation.isCancelled }
        let staged = try store.stage(
            source, expecting: LayerExpectation(compression: Compression.none), options, named: name)
        let summary = staged.summary
        try publish(staged, owner: owner, named: name)
        return try makeBlob(of: summary, compression, cancellation, named: name)
    }

    /// Compresses a layer of the store on all cores, from its tar.
    private func makeBlob(
        of summary: LayerSummary, _ compression: LayerCompression, _ cancellation: Cancellation,
        named name: String
    ) throws(LaminaError) -> NewLayer {
        let type = MediaType.layer(compression.compression)
        guard compression.codec != .none else {
            return NewLayer(
                summary: summary,
                descriptor: Self.descriptor(type, summary.diffID, size: Int64(clamping: summary.tarSize)),
                blob: summary.diffID)
        }
        var blob = try compress(summary.diffID, compression, cancellation, named: name)
        let size = Int64(clamping: blob.size)
        let digest = blob.finish()
        do throws(StoreError) { try blob.publish(as: digest, placing: place) } catch {
            throw LaminaError(error, about: name)
        }
        try catalogue { catalog throws(CatalogError) in
            try catalog.add(LayerBlobRecord(digest: digest, size: size), of: summary.diffID)
        }
        return NewLayer(summary: summary, descriptor: Self.descriptor(type, digest, size: size), blob: digest)
    }

    /// Keeps the documents of an image whose layers are in the store, makes its chain and records it under
    /// `references`. The caller holds a lease.
    func record(
        config bytes: [UInt8], layers: [[String: Any]], references: [String], owner: String
    ) throws(LaminaError) -> ImageRecord {
        let config = Document(MediaType.ociConfig, bytes)
        let configuration = try ImagePlanner.configuration(config)
        let manifest = Self.manifest(config: config, layers: layers)
        let blobs = layers.compactMap { ($0["digest"] as? String).flatMap { Digest($0) } }
        for document in [config, manifest] {
            try keepBlob(document.bytes, document.digest)
        }
        let diffIDs = configuration.rootfs.diffIDs
        try makeChain(diffIDs, os: configuration.os)
        let image = ImageRecord(
            id: config.digest, chainID: ChainID.of(diffIDs, os: configuration.os) ?? config.digest,
            architecture: configuration.architecture, os: configuration.os, variant: configuration.variant,
            created: configuration.created, configSize: Int64(bytes.count),
            loaded: Int64(Date().timeIntervalSince1970), diffIDs: diffIDs)
        let row = ManifestRecord(
            digest: manifest.digest, mediaType: manifest.mediaType, size: Int64(manifest.bytes.count),
            blobs: blobs)
        try add(
            [(image: image, manifest: row, references: references)],
            [(.chain, image.chainID), (.blob, config.digest), (.blob, manifest.digest)], blobs: blobs, owner)
        return image
    }
}

extension Document {
    /// A document that was made here.
    init(_ mediaType: String, _ bytes: [UInt8]) {
        self.init(digest: SHA256.digest(of: bytes.raw), mediaType: mediaType, bytes: bytes)
    }
}
