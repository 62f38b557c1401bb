// TwinBitmap owns one bit for each lower node: whether the sandbox holds a twin of it.
// A bit is only ever set, so that a reader needs one load and no lock.

import Glibc
import LaminaCore
import Synchronization

/// Which lower nodes were copied up or merged with a directory of the sandbox.
@safe
final class TwinBitmap: @unchecked Sendable {
    // SAFETY: the words are atomics and live from init to deinit.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    /// For node ids below `nodes`; one bit each. O(1): the pages are made when their first bit is.
    /// - Throws: `ENOMEM`.
    init(nodes: UInt64) throws(Errno) {
        count = Int(clamping: nodes / 64) &+ 1
        // SAFETY: calloc checks the product, and zero bytes are atomics of 0.
        guard let memory = unsafe calloc(count, MemoryLayout<Atomic<UInt64>>.stride) else { throw .noMemory }
        unsafe words = memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    deinit {
        // SAFETY: from calloc; atomics of integers have nothing to destroy.
        unsafe free(words)
    }

    @inline(__always)
    func contains(_ nid: UInt64) -> Bool {
        guard nid / 64 < UInt64(count) else { return false }
        // SAFETY: the index was just checked.
        return unsafe words[Int(nid / 64)].load(ordering: .acquiring) & (1 << (nid % 64)) != 0
    }

    func insert(_ nid: UInt64) {
        guard nid / 64 < UInt64(count) else { return }
        // SAFETY: the index was just checked.
        unsafe words[Int(nid / 64)].bitwiseOr(1 << (nid % 64), ordering: .acquiringAndReleasing)
    }
}
