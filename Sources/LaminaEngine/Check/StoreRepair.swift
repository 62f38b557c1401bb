// StoreRepair owns mending: what is left gives what is damaged anew. Layers and chains change places with their
// successors in one step. A damaged object goes first, because it would be taken for the right one, and only where a
// blob has it; a damaged blob goes where its layer gives the tar back.

import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem

/// One repair.
struct StoreRepair {
    private let engine: Engine
    private let damage: StoreDamage
    private let retirement: Retirement

    init(_ engine: Engine, _ damage: StoreDamage) throws(LaminaError) {
        self.engine = engine
        self.damage = damage
        retirement = try Engine.storing("\(engine.root)") { () throws(StoreError) in
            try Retirement(in: engine.store)
        }
    }

    /// Mends what it can and says of each problem what became of it.
    func run(_ problems: inout [StoreProblem]) throws(LaminaError) {
        var outcomes: [String: StoreProblem.Outcome] = [:]
        for diffID in try damagedLayers() {
            let outcome = mend(layer: diffID)
            outcomes["layer \(diffID)"] = outcome
            for object in engine.objects(of: diffID) ?? [] where damage.objects.contains(object) {
                let name = "object \(object)"
                if case .repaired = outcomes[name] { continue }
                outcomes[name] = engine.store.hasObject(object) ? outcome : .left("no layer gives it back")
            }
        }
        for blob in damage.blobs { outcomes["blob \(blob)"] = drop(blob: blob) }
        for (chainID, diffIDs) in damage.chains {
            outcomes["chain \(chainID)"] = mend(chain: chainID, diffIDs)
        }
        for index in problems.indices {
            if let outcome = outcomes[problems[index].thing] { problems[index].outcome = outcome }
        }
        _ = try Engine.storing("\(engine.root)") { () throws(StoreError) in try retirement.finish(waiting: 0)
        }
    }

    /// Layers that are damaged, or have a damaged object.
    private func damagedLayers() throws(LaminaError) -> [Digest] {
        var result = damage.layers
        if !damage.objects.isEmpty {
            let all = try engine.catalogue { catalog throws(CatalogError) in try catalog.layers() }
            for diffID in all {
                if !damage.objects.isDisjoint(with: engine.objects(of: diffID) ?? []) {
                    result.insert(diffID)
                }
            }
        }
        return result.sorted { $0.hex < $1.hex }
    }

    private func mend(layer diffID: Digest) -> StoreProblem.Outcome {
        let objects = Set(engine.objects(of: diffID) ?? []).intersection(damage.objects)
        do throws(LaminaError) {
            if objects.isEmpty, let staged = try? engine.restage(diffID) {
                try replace(diffID, by: staged)
                return .repaired("made anew from its own tar")
            }
            guard let blob = try goodBlob(of: diffID) else {
                return .left("its blob is not kept; load the image again")
            }
            // A damaged object in its place would be taken for the right one.
            for object in objects { try retire(.object, object) }
            try replace(diffID, by: try engine.restage(diffID, from: blob))
            return .repaired("extracted anew from blob \(blob)")
        } catch {
            return .left(error.message)
        }
    }

    private func replace(_ diffID: Digest, by staged: consuming StagedLayer) throws(LaminaError) {
        do throws(StoreError) { try staged.publish(replacing: true, placing: engine.place) } catch {
            throw LaminaError(error, about: "layer \(diffID)")
        }
    }

    private func retire(_ content: StoreContent, _ digest: Digest) throws(LaminaError) {
        try Engine.system(ByteString("\(content.rawValue) \(digest)")) { () throws(Errno) in
            try retirement.take(content, digest)
        }
    }

    private func goodBlob(of diffID: Digest) throws(LaminaError) -> Digest? {
        let record = try engine.catalogue { catalog throws(CatalogError) in try catalog.layer(diffID) }
        return (record?.blobs ?? []).map(\.digest).first {
            engine.store.hasBlob($0) && !damage.blobs.contains($0)
        }
    }

    /// A damaged blob of a layer is dropped, as a prune drops it; others are all that there is.
    private func drop(blob: Digest) -> StoreProblem.Outcome {
        do throws(LaminaError) {
            let isDropped = try engine.catalogue { catalog throws(CatalogError) in
                try catalog.dropLayerBlob(blob) { () throws(Errno) in try retirement.take(.blob, blob) }
            }
            return isDropped
                ? .repaired("dropped; its layer gives the tar back")
                : .left("nothing else has it; load the image again")
        } catch {
            return .left(error.message)
        }
    }

    private func mend(chain chainID: Digest, _ diffIDs: [Digest]) -> StoreProblem.Outcome {
        do throws(LaminaError) {
            let staged = try engine.stageChain(chainID, diffIDs)
            do throws(StoreError) {
                try staged.publish(replacing: true, placing: engine.place)
            } catch {
                throw LaminaError(error, about: "chain \(chainID)")
            }
            return .repaired("merged anew from its layers")
        } catch {
            return .left(error.message)
        }
    }
}
