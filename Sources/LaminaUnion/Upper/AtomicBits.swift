// AtomicBits owns a row of bits that many threads read while others set them: a reader needs one load and no lock.

import Glibc
import LaminaCore
import Synchronization

/// A bitmap of fixed size. Places beyond its end are never set.
@safe
final class AtomicBits: @unchecked Sendable {
    // SAFETY: the words are atomics and live from init to deinit.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    /// For places below `count`. O(1): the pages are made when their first bit is.
    /// - Throws: `ENOMEM`.
    init(count bits: UInt64) throws(Errno) {
        count = Int(clamping: bits / 64) &+ 1
        // SAFETY: calloc checks the product, and zero bytes are atomics of 0.
        guard let memory = unsafe calloc(count, MemoryLayout<Atomic<UInt64>>.stride) else { throw .noMemory }
        unsafe words = memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    deinit {
        // SAFETY: from calloc; atomics of integers have nothing to destroy.
        unsafe free(words)
    }

    @inline(__always)
    func contains(_ place: UInt64) -> Bool {
        guard place / 64 < UInt64(count) else { return false }
        // SAFETY: the index was just checked.
        return unsafe words[Int(place / 64)].load(ordering: .acquiring) & (1 << (place % 64)) != 0
    }

    func insert(_ place: UInt64) {
        guard place / 64 < UInt64(count) else { return }
        // SAFETY: the index was just checked.
        unsafe words[Int(place / 64)].bitwiseOr(1 << (place % 64), ordering: .acquiringAndReleasing)
    }

    func remove(_ place: UInt64) {
        guard place / 64 < UInt64(count) else { return }
        // SAFETY: the index was just checked.
        unsafe words[Int(place / 64)].bitwiseAnd(~(1 << (place % 64)), ordering: .acquiringAndReleasing)
    }
}
