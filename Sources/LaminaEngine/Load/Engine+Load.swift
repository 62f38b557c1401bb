// Loading images: plan, stage every layer, publish, then one transaction that makes all
// of it visible. Before the transaction nothing can be found; after a failure nothing stays.

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
    /// are read in parallel. `progress` is called from several threads.
    ///
    /// Throws `badInput` naming the blob at fault, `noSpace`, `busy` when a prune runs for more
    /// than 30 seconds. On any error the store is as it was.
    public func load(
        _ input: LoadInput, keepBlobs: Bool = true, progress: @escaping LoadProgress = { _ in }
    ) throws(LaminaError) -> [LoadedImage] {
        let lease = try lease(exclusive: false)
        let source = try ImageInput(input, store: store)
        let plans = try ImagePlanner(input: source).plans()
        var missing: [LayerPlan] = []
        for layer in Set(plans.flatMap(\.layers)).sorted(by: { $0.diffID.hex < $1.diffID.hex }) {
            if try hasLayer(layer, keepBlobs: keepBlobs) {
                progress(LoadEvent(layer: layer.diffID, step: .exists))
            } else {
                missing.append(layer)
            }
        }
        let loader = LayerLoader(store: store, input: source, keepBlobs: keepBlobs, progress: progress)
        let staged = try loader.stage(missing)
        let summaries = staged.compactMap(\.summary)
        do throws(LaminaError) {
            for slot in staged { try publish(slot) }
            for plan in plans { try keepDocuments(of: plan) }
            for plan in plans { try makeChain(plan.diffIDs) }
            try record(plans, summaries)
        } catch {
            _ = consume lease
            discard(plans, summaries)
            throw error
        }
        return plans.map { LoadedImage(id: $0.config.digest, references: $0.references) }
    }

    /// The store's lease, waited for at most 30 seconds.
    func lease(exclusive: Bool, seconds: Int = 30) throws(LaminaError) -> StoreLease {
        for _ in 0..<(seconds * 50) {
            do throws(StoreError) {
                return try store.lease(exclusive: exclusive, wait: false)
            } catch where error == .busy {
                usleep(20_000)
            } catch {
                throw LaminaError(error, about: root.description)
            }
        }
        throw LaminaError(
            .busy, root.description,
            exclusive ? "a load or create is running on this store" : "a prune is running on this store")
    }

    /// Whether all that a layer's plan would bring is there.
    private func hasLayer(_ layer: LayerPlan, keepBlobs: Bool) throws(LaminaError) -> Bool {
        let known = try catalogue { catalog throws(CatalogError) in try catalog.layer(layer.diffID) }
        guard let known, store.hasLayer(layer.diffID) else { return false }
        guard let blob = layer.expectation.blobDigest, blob != layer.diffID else { return true }
        guard known.blobs.contains(where: { $0.digest == blob }) else { return false }
        return !keepBlobs || store.hasBlob(blob)
    }

    private func publish(_ slot: StagedSlot) throws(LaminaError) {
        guard let layer = slot.take() else { return }
        let name = "layer \(layer.summary.diffID)"
        do throws(StoreError) { try layer.publish() } catch { throw LaminaError(error, about: name) }
    }

    private func keepDocuments(of plan: ImagePlan) throws(LaminaError) {
        for document in [plan.config, plan.manifest].compactMap(\.self) {
            do throws(StoreError) {
                try store.putBlob(document.bytes, expecting: document.digest)
            } catch {
                throw LaminaError(error, about: "blob \(document.digest)")
            }
        }
    }

    private func record(_ plans: [ImagePlan], _ summaries: [LayerSummary]) throws(LaminaError) {
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
        let layers = summaries.map { summary in
            LayerRecord(
                diffID: summary.diffID, tarSize: Int64(clamping: summary.tarSize),
                streamSize: Int64(clamping: summary.streamSize),
                entryCount: Int64(clamping: summary.entryCount),
                blobs: [
                    LayerBlobRecord(digest: summary.blobDigest, size: Int64(clamping: summary.blobSize))
                ])
        }
        try catalogue { catalog throws(CatalogError) in try catalog.add(images, layers: layers) }
    }

    /// Takes away what a failed load published, if nobody else is at work on the store who might
    /// have found it; otherwise prune will.
    private func discard(_ plans: [ImagePlan], _ summaries: [LayerSummary]) {
        guard let lease = try? store.lease(exclusive: true, wait: false),
            let references = try? catalog.references()
        else { return }
        for plan in plans where !references.chainIDs.contains(plan.chainID) {
            try? store.remove(.chain, plan.chainID)
        }
        let unused = summaries.filter { !references.diffIDs.contains($0.diffID) }
        for summary in unused { try? store.remove(.layer, summary.diffID) }
        var blobs = Set(summaries.map(\.blobDigest))
        for plan in plans { blobs.formUnion([plan.config.digest, plan.manifest?.digest].compactMap(\.self)) }
        for blob in blobs.subtracting(references.blobs) { try? store.remove(.blob, blob) }
        if let used = try? usedObjects(of: references.diffIDs) {
            for object in Set(unused.flatMap(\.objects)).subtracting(used) { try? store.remove(.object, object) }
        }
        _ = consume lease
    }
}

extension ImagePlan {
    /// The planner refuses an image without layers, which alone has no chain.
    var chainID: Digest { ChainID.of(diffIDs) ?? config.digest }
}
