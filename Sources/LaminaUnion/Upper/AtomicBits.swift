// AtomicBits owns a row of bits that many threads read while others set them: a reader needs one load and no lock.

import Glibc
import LaminaCore
import Synchronization

/// A bitmap of fixed size. Places beyond its end are never set.
@safe
package final class AtomicBits: @unchecked Sendable {
    // SAFETY: the words are atomics and live from init to deinit.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    /// For places below `count`. O(1): the pages are made when their first bit is. So not from the heap, which
    /// would clear what it gave before.
    /// - Throws: `ENOMEM`.
    package init(count bits: UInt64) throws(Errno) {
        count = Int(clamping: bits / 64) &+ 1
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Atomic<UInt64>>.stride)
        guard !overflow else { throw .noMemory }
        // SAFETY: new memory of the kernel's choice.
        let memory = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { throw .noMemory }
        // SAFETY: `size` bytes at the start of a page; zero bytes are atomics of 0.
        unsafe words = memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    deinit {
        // SAFETY: from mmap, of this size; atomics of integers have nothing to destroy.
        unsafe munmap(words, count * MemoryLayout<Atomic<UInt64>>.stride)
    }

    @inline(__always)
    package func contains(_ place: UInt64) -> Bool {
        guard place / 64 < UInt64(count) else { return false }
        // SAFETY: the index was just checked.
        return unsafe words[Int(place / 64)].load(ordering: .acquiring) & (1 << (place % 64)) != 0
    }

    package func insert(_ place: UInt64) {
        guard place / 64 < UInt64(count) else { return }
        // SAFETY: the index was just checked.
        unsafe words[Int(place / 64)].bitwiseOr(1 << (place % 64), ordering: .acquiringAndReleasing)
    }

    package func remove(_ place: UInt64) {
        guard place / 64 < UInt64(count) else { return }
        // SAFETY: the index was just checked.
        unsafe words[Int(place / 64)].bitwiseAnd(~(1 << (place % 64)), ordering: .acquiringAndReleasing)
    }
}
