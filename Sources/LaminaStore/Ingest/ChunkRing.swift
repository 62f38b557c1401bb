// ChunkRing owns the few chunks that travel between the two halves of an ingest, which run
// on two threads. Invariant: a chunk is touched by the half whose semaphore gave it, only.

import LaminaCodec
import LaminaCore
import LaminaSystem
import Synchronization

/// A bounded queue of chunks from one producer to one consumer, without copies.
@safe
final class ChunkRing: @unchecked Sendable {
    // SAFETY: the semaphores hand each slot to one side at a time.
    private let slots: UnsafeMutablePointer<Buffer>
    private let count: Int
    private let free: Semaphore
    private let filled = Semaphore(count: 0)
    /// The number of chunks there will ever be, once the producer knows it.
    private let total = Atomic<Int>(-1)
    private let isStopped = Atomic<Bool>(false)
    private let outcome = Mutex<Result<BlobResult, CodecError>>(.failure(.cancelled))

    init(count: Int, chunkSize: Int) {
        self.count = count
        free = Semaphore(count: UInt32(count))
        unsafe slots = .allocate(capacity: count)
        for index in 0..<count { unsafe (slots + index).initialize(to: Buffer(capacity: chunkSize)) }
    }

    deinit {
        // SAFETY: initialised in init; both halves are done, as they hold references.
        unsafe slots.deinitialize(count: count)
        unsafe slots.deallocate()
    }

    /// Fills chunks until the source ends, fails, or the consumer stops.
    func produce<Upstream: ByteSource & ~Copyable>(from source: consuming LayerSource<Upstream>) {
        var turn = 0
        var failure: CodecError?
        do throws(CodecError) {
            while true {
                free.wait()
                if isStopped.load(ordering: .acquiring) { throw .cancelled }
                // SAFETY: `free` gave this slot to the producer.
                guard try unsafe source.next(&slots[turn % count]) else { break }
                turn += 1
                filled.signal()
            }
        } catch {
            failure = error
        }
        let result = source.finish()
        outcome.withLock { [failure] in $0 = failure.map { .failure($0) } ?? .success(result) }
        total.store(turn, ordering: .releasing)
        filled.signal()
    }

    /// Gives every chunk to `body`, in order; what the producer found at the end. When the
    /// body throws, the producer stops at its next chunk.
    func consume(_ body: (Span<UInt8>) throws(StoreError) -> Void) throws(StoreError) -> BlobResult {
        var turn = 0
        while true {
            filled.wait()
            if turn == total.load(ordering: .acquiring) { break }
            do throws(StoreError) {
                // SAFETY: `filled` gave this slot to the consumer.
                try unsafe body(slots[turn % count].bytes)
            } catch {
                isStopped.store(true, ordering: .releasing)
                free.signal()
                throw error
            }
            turn += 1
            free.signal()
        }
        do throws(CodecError) {
            return try outcome.withLock { $0 }.get()
        } catch {
            throw .layer(error)
        }
    }
}
