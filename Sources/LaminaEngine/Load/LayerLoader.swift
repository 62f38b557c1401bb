// Reads the layers of a load in parallel, each into the store's ingest room with its
// index. The first failure stops the others; what was staged goes with this value.

import Dispatch
import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem
import Synchronization

/// The staged layers of one load.
final class LayerLoader: Sendable {
    private let store: Store
    private let input: ImageInput
    private let keepBlobs: Bool
    private let progress: LoadProgress
    private let failure = Mutex<LaminaError?>(nil)
    private let failed = Atomic<Bool>(false)

    init(store: Store, input: ImageInput, keepBlobs: Bool, progress: @escaping LoadProgress) {
        self.store = store
        self.input = input
        self.keepBlobs = keepBlobs
        self.progress = progress
    }

    /// Stages all `layers`, the largest first, with as many threads as the machine has cores.
    func stage(_ layers: [LayerPlan]) throws(LaminaError) -> [StagedSlot] {
        let slots = layers.map { _ in StagedSlot() }
        let order = layers.indices.sorted {
            (layers[$0].expectation.blobSize ?? .max) > (layers[$1].expectation.blobSize ?? .max)
        }
        DispatchQueue.concurrentPerform(iterations: layers.count) { iteration in
            if failed.load(ordering: .relaxed) { return }
            let index = order[iteration]
            do throws(LaminaError) {
                slots[index].put(try stage(layers[index]))
            } catch {
                failed.store(true, ordering: .relaxed)
                // The first failure is the cause; those that it cancels are not.
                failure.withLock { if $0 == nil { $0 = error } }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        return slots
    }

    private func stage(_ layer: LayerPlan) throws(LaminaError) -> StagedLayer {
        guard let member = try input.open(layer.member) else {
            throw LaminaError(.badInput, layer.name, "is missing from \(input.name)")
        }
        if let size = layer.expectation.blobSize, size != member.size {
            throw LaminaError(
                .badInput, layer.name, "has \(member.size) bytes, its descriptor says \(size)")
        }
        progress(LoadEvent(layer: layer.diffID, step: .started(size: Int64(clamping: member.size))))
        var options = IngestOptions()
        options.keepBlob = keepBlobs
        options.progress = { [progress, self] bytes in
            progress(LoadEvent(layer: layer.diffID, step: .read(bytes: Int64(clamping: bytes))))
            return !failed.load(ordering: .relaxed)
        }
        var builder = LayerIndexBuilder()
        let staged: StagedLayer
        do throws(StoreError) {
            staged = try store.ingestLayer(
                from: member.source(), expecting: layer.expectation, options: options, into: &builder)
        } catch {
            throw LaminaError(error, about: layer.name)
        }
        try writeIndex(builder, of: staged, named: layer.name)
        progress(LoadEvent(layer: layer.diffID, step: .loaded))
        return staged
    }

    private func writeIndex(
        _ builder: consuming LayerIndexBuilder, of staged: borrowing StagedLayer, named name: String
    ) throws(LaminaError) {
        let file = try Engine.system(ByteString(name)) { () throws(Errno) in
            try staged.directory.open(StorePath.index, O_RDWR | O_CREAT | O_EXCL, permissions: 0o444)
        }
        let summary = staged.summary
        do throws(IndexError) {
            try builder.finish(diffID: summary.diffID, streamSize: summary.streamSize, to: file)
        } catch {
            throw LaminaError(error, about: name)
        }
    }
}

/// Holds one staged layer for another thread.
final class StagedSlot: Sendable {
    private let staged = Mutex<StagedLayer?>(nil)

    func put(_ layer: consuming StagedLayer) {
        // A Mutex's closure cannot consume what it captured; an optional can be emptied.
        var layer: StagedLayer? = layer
        staged.withLock { $0 = layer.take() }
    }

    /// What was staged, while it is here.
    var summary: LayerSummary? {
        staged.withLock { $0?.summary }
    }

    func take() -> StagedLayer? {
        staged.withLock { $0.take() }
    }
}
