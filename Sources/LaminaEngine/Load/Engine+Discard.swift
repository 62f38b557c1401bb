// Taking back what a failed load published.

import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// Takes away what a failed load brought, if nobody else is at work on the store who might
    /// have found it; otherwise prune will. The rows go before the files.
    func discard(_ plans: [ImagePlan], _ published: [PublishedLayers.Layer]) {
        guard let lease = try? store.lease(exclusive: true, wait: false) else { return }
        let new = published.filter(\.isNew).map(\.summary)
        guard (try? catalog.removeUnused(layers: new.map(\.diffID))) != nil,
            let references = try? catalog.references()
        else { return }
        for plan in plans where !references.chainIDs.contains(plan.chainID) {
            try? store.remove(.chain, plan.chainID)
        }
        let unused = new.filter { !references.diffIDs.contains($0.diffID) }
        for summary in unused { try? store.remove(.layer, summary.diffID) }
        var blobs = Set(published.map(\.summary.blobDigest))
        for plan in plans { blobs.formUnion([plan.config.digest, plan.manifest?.digest].compactMap(\.self)) }
        for blob in blobs.subtracting(references.blobs) { try? store.remove(.blob, blob) }
        // Layers of interrupted loads are recorded and have objects, though no image has them yet.
        if let recorded = try? catalog.layers(), let used = try? usedObjects(of: recorded) {
            let objects = Set(unused.flatMap(\.objects)).subtracting(used)
            for object in objects { try? store.remove(.object, object) }
        }
        _ = consume lease
    }
}
