// Loading images: plan; stage, publish and record each layer; then one transaction that makes
// the images visible. After a failure nothing stays; after an interruption the finished layers.

import Foundation
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaStore

/// An image that a load brought.
public struct LoadedImage: Sendable, Hashable {
    public var id: Digest
    /// Normalised; empty for an image without a name.
    public var references: [String]
}

extension Engine {
    /// Loads all images of an OCI layout or a docker-archive, plain or compressed.
    ///
    /// Verifies every digest and size. A layer that the store has is not read again. Layers
    /// are read in parallel. `progress` is called from several threads. Waits for no prune.
    ///
    /// Throws `badInput` naming the blob at fault, `noSpace`: then the store is as it was. Throws `interrupted` when the options'
    /// cancellation says so, or the process may end at any point: then no image is visible, and the
    /// layers that were finished are found by the next load, or removed by prune.
    public func load(
        _ input: LoadInput, options: LoadOptions = LoadOptions(),
        progress: @escaping LoadProgress = { _ in }
    ) throws(LaminaError) -> [LoadedImage] {
        let lease = try lease()
        removeDeadWork()
        store.keepReserve()
        let source = try ImageInput(input, store: store, options.cancellation)
        let plans = try ImagePlanner(input: source).plans()
        let claims = try claims()
        let published = PublishedLayers()
        do throws(LaminaError) {
            try loadLayers(of: plans, from: source, options, claims.owner, published, progress)
            for plan in plans { try keepDocuments(of: plan) }
            for plan in plans {
                try options.cancellation.check(source.name)
                try makeChain(plan.diffIDs, os: plan.configuration.os)
            }
            try record(plans, claims.owner)
        } catch {
            _ = consume lease
            // Layers that are done shorten the next load of this image.
            if error.code != .interrupted { discard(plans, published.all, claims.owner) }
            throw error
        }
        _ = consume lease
        return plans.map { LoadedImage(id: $0.config.digest, references: $0.references) }
    }

    /// Frees the space of loads that were killed; what cannot be removed is for prune.
    func removeDeadWork() {
        try? removeLeftovers()
    }

    /// Reads every layer that the store does not have.
    private func loadLayers(
        of plans: [ImagePlan], from source: ImageInput, _ options: LoadOptions, _ owner: String,
        _ published: PublishedLayers, _ progress: @escaping LoadProgress
    ) throws(LaminaError) {
        var missing: [LayerPlan] = []
        for layer in Set(plans.flatMap(\.layers)).sorted(by: { $0.diffID.hex < $1.diffID.hex }) {
            if try hasLayer(layer, keepBlobs: options.keepBlobs, owner) {
                progress(LoadEvent(layer: layer.diffID, step: .exists))
            } else {
                missing.append(layer)
            }
        }
        let loader = LayerLoader(store: store, input: source, options: options, progress: progress)
        try loader.load(missing) { (layer) throws(LaminaError) in
            let summary = layer.summary
            let known = try self.catalogue { catalog throws(CatalogError) in try catalog.layer(summary.diffID)
            }
            published.note(PublishedLayers.Layer(summary: summary, isNew: known == nil))
            try self.publish(layer, owner: owner, named: "layer \(summary.diffID)")
        }
    }

    /// Whether all that a layer's plan would bring is there, and stays.
    private func hasLayer(
        _ layer: LayerPlan, keepBlobs: Bool, _ owner: String
    ) throws(LaminaError) -> Bool {
        // Another load may have brought it since this one began.
        let known = try catalogue { catalog throws(CatalogError) in
            try catalog.claim([layer.diffID], owner: owner)
            return try catalog.layer(layer.diffID)
        }
        guard let known, store.hasLayer(layer.diffID) else { return false }
        guard let blob = layer.expectation.blobDigest, blob != layer.diffID else { return true }
        guard known.blobs.contains(where: { $0.digest == blob }) else { return false }
        return !keepBlobs || store.hasBlob(blob)
    }

    private func keepDocuments(of plan: ImagePlan) throws(LaminaError) {
        for document in [plan.config, plan.manifest].compactMap(\.self) {
            try keepBlob(document.bytes, document.digest)
        }
    }

    private func record(_ plans: [ImagePlan], _ owner: String) throws(LaminaError) {
        let now = Int64(Date().timeIntervalSince1970)
        let images = plans.map { plan in
            let image = ImageRecord(
                id: plan.config.digest, chainID: plan.chainID, architecture: plan.configuration.architecture,
                os: plan.configuration.os, variant: plan.configuration.variant,
                created: plan.configuration.created, configSize: Int64(plan.config.bytes.count), loaded: now,
                diffIDs: plan.diffIDs)
            let manifest = plan.manifest.map { document in
                ManifestRecord(
                    digest: document.digest, mediaType: document.mediaType, size: Int64(document.bytes.count),
                    blobs: plan.layers.compactMap(\.expectation.blobDigest))
            }
            return (image: image, manifest: manifest, references: plan.references)
        }
        var contents: [(StoreContent, Digest)] = []
        for plan in plans {
            contents.append((.chain, plan.chainID))
            for document in [plan.config, plan.manifest].compactMap(\.self) {
                contents.append((.blob, document.digest))
            }
        }
        try add(images, contents, blobs: plans.flatMap(\.layers).compactMap(\.expectation.blobDigest), owner)
    }
}

extension ImagePlan {
    /// The planner refuses an image without layers, which alone has no chain.
    var chainID: Digest { ChainID.of(diffIDs, os: configuration.os) ?? config.digest }
}
