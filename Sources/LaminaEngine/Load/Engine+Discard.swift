// Taking back what a failed load published.

import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// Takes away what a failed load brought and nobody else needs. Its bytes stay for as long as another
    /// process may have met them; then the next prune removes them.
    func discard(_ plans: [ImagePlan], _ published: [PublishedLayers.Layer], _ owner: String) {
        let new = published.filter(\.isNew).map(\.summary)
        var contents = plans.map { ContentRecord(.chain, $0.chainID) }
        contents += new.map { ContentRecord(.layer, $0.diffID) }
        contents += published.map { ContentRecord(.blob, $0.summary.blobDigest) }
        for plan in plans {
            contents += [plan.config.digest, plan.manifest?.digest].compactMap { $0 }.map {
                ContentRecord(.blob, $0)
            }
        }
        contents += Set(new.flatMap(\.objects)).map { ContentRecord(.object, $0) }
        guard let retirement = try? Retirement(in: store) else { return }
        // What cannot be taken back now is for prune.
        try? catalog.takeBack(new.map(\.diffID), contents, owner: owner) {
            objects(of: $0)
        } retire: { (content) throws(Errno) in
            try retirement.take(content.kind.content, content.digest)
        }
        _ = try? retirement.finish(waiting: 0)
    }

    /// The objects of a layer, each once; nil for a layer whose splits are lost.
    func objects(of diffID: Digest) -> [Digest]? {
        guard let splits = try? store.readSplits(diffID) else { return nil }
        return Array(Set(splits.objects))
    }
}
