// Reads the layers of a load in parallel, each into the store's ingest room with its
// index, and hands it over whole. The first failure stops the others.

import Dispatch
import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem
import Synchronization

/// The layers of one load.
final class LayerLoader: Sendable {
    private let store: Store
    private let input: ImageInput
    private let options: LoadOptions
    private let progress: LoadProgress
    private let failure = Mutex<LaminaError?>(nil)
    private let failed = Atomic<Bool>(false)

    init(store: Store, input: ImageInput, options: LoadOptions, progress: @escaping LoadProgress) {
        self.store = store
        self.input = input
        self.options = options
        self.progress = progress
    }

    /// Stages all `layers`, the largest first, with as many threads as the machine has cores, and
    /// gives each to `publish` when it is complete.
    func load(
        _ layers: [LayerPlan], publish: @Sendable (consuming StagedLayer) throws(LaminaError) -> Void
    ) throws(LaminaError) {
        let order = layers.indices.sorted {
            (layers[$0].expectation.blobSize ?? .max) > (layers[$1].expectation.blobSize ?? .max)
        }
        let threads = options.decodingThreads ?? IngestOptions.decodingThreads(sharing: layers.count)
        DispatchQueue.concurrentPerform(iterations: layers.count) { iteration in
            if stops { return }
            let layer = layers[order[iteration]]
            do throws(LaminaError) {
                try publish(try stage(layer, decodingThreads: threads))
                progress(LoadEvent(layer: layer.diffID, step: .loaded))
            } catch {
                // The first failure is the cause; those that it cancels are not.
                failure.withLock { if $0 == nil { $0 = error } }
                failed.store(true, ordering: .relaxed)
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        try options.cancellation.check(input.name)
    }

    /// Whether a layer failed or the load is to stop.
    private var stops: Bool { failed.load(ordering: .relaxed) || options.cancellation.isCancelled }

    private func stage(_ layer: LayerPlan, decodingThreads: Int) throws(LaminaError) -> StagedLayer {
        guard let member = try input.open(layer.member) else {
            throw LaminaError(.badInput, layer.name, "is missing from \(input.name)")
        }
        if let size = layer.expectation.blobSize, size != member.size {
            throw LaminaError(
                .badInput, layer.name, "has \(member.size) bytes, its descriptor says \(size)")
        }
        progress(LoadEvent(layer: layer.diffID, step: .started(size: Int64(clamping: member.size))))
        var ingest = IngestOptions()
        ingest.limits = options.limits
        ingest.keepBlob = options.keepBlobs
        ingest.decodingThreads = decodingThreads
        ingest.progress = { [progress, self] bytes in
            progress(LoadEvent(layer: layer.diffID, step: .read(bytes: Int64(clamping: bytes))))
            return !stops
        }
        return try store.stage(
            member.source(), expecting: layer.expectation, ingest, named: layer.name)
    }
}
