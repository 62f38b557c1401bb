// Counters owns what a mount counts: one block of shared memory for each worker thread
// (docs/FORMAT-sandbox.md), which anybody who may can read while it is written.
//
// Invariant: a thread writes its own block alone, by plain loads and stores of whole words; only the last
// block, of the threads that found none, is added to atomically.

import CLinux
import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// The counters of one mount. Counting takes no lock, allocates nothing and shares no cache line.
@safe
public final class Counters: @unchecked Sendable {
    // SAFETY: the memory lives as long as this object, and its words are atomics.
    private let memory: SharedMemory
    private let blocks: UnsafeMutablePointer<Atomic<UInt64>>
    /// Tells the blocks of this object from those of one that was at the same place before.
    private let owner: UInt64
    private let taken = Atomic<Int>(0)

    private static let lastOwner = Atomic<UInt64>(0)

    /// - Throws: `ENOMEM`.
    public init() throws(Errno) {
        memory = try SharedMemory(name: "lamina-counters", count: CounterFormat.fileSize)
        owner = Self.lastOwner.wrappingAdd(1, ordering: .relaxed).newValue
        let header = CounterFormat.header(process: getpid(), started: Int64(time(nil)))
        // SAFETY: header and blocks lie in the memory, which is page-aligned and as long as they are;
        // all-zero bytes are atomics of 0.
        unsafe memory.start.copyMemory(from: header, byteCount: header.count)
        unsafe blocks = (memory.start + CounterFormat.headerSize)
            .bindMemory(
                to: Atomic<UInt64>.self, capacity: CounterFormat.blockCount * CounterFormat.blockWords)
    }

    /// Where other processes find the counters as long as this one lives; nil when the kernel made no
    /// file for them.
    public var path: ByteString? {
        memory.file.map { ByteString("/proc/\(getpid())/fd/\($0.descriptor.rawValue)") }
    }

    /// This thread has read a request of `size` bytes. Call `ended` when it is answered.
    @inline(__always)
    public func began(_ opcode: UInt32, size: Int) {
        let block = block
        let row = CounterFormat.row(ofOpcode: opcode)
        block.add(1, to: row &* CounterFormat.rowWords &+ CounterFormat.Row.requests)
        guard !block.isShared, FuseOpcode.hasAnswer(opcode) else { return }
        block.set(CounterFormat.Thread.since, to: Self.now())
        block.set(CounterFormat.Thread.requestSize, to: UInt64(truncatingIfNeeded: size))
        block.set(CounterFormat.Thread.row, to: UInt64(truncatingIfNeeded: row))
    }

    /// This thread has sent the answer to the request that it read last: `size` bytes with its header.
    /// Without such a request, nothing.
    /// - Returns: true for every 256th answer of the thread, a time for work that needs doing now and then.
    @inline(__always)
    @discardableResult
    public func ended(size: Int, error: Int32) -> Bool {
        let block = block
        guard !block.isShared else { return false }
        let row = Int(truncatingIfNeeded: block.get(CounterFormat.Thread.row))
        guard row > 0, row < CounterFormat.rowCount else { return false }
        let start = row &* CounterFormat.rowWords
        let time = Self.now() &- block.get(CounterFormat.Thread.since)
        block.add(1, to: start &+ CounterFormat.Row.buckets &+ CounterFormat.bucket(nanoseconds: time))
        block.add(time, to: start &+ CounterFormat.Row.nanoseconds)
        if error == 0 {
            // `struct fuse_in_header` and `struct fuse_write_in`; `struct fuse_out_header`.
            let bytes =
                row == FuseOpcode.write
                ? Int(truncatingIfNeeded: block.get(CounterFormat.Thread.requestSize)) &- 80 : size &- 16
            if bytes > 0 { block.add(UInt64(bytes), to: start &+ CounterFormat.Row.bytes) }
        } else {
            block.add(1, to: start &+ CounterFormat.Row.errors)
        }
        block.set(CounterFormat.Thread.row, to: 0)
        block.add(1, to: CounterFormat.Thread.answers)
        return block.get(CounterFormat.Thread.answers) & 255 == 0
    }

    /// Something happened that is no request. From any thread.
    public func count(_ event: CounterEvent) {
        block.add(1, to: CounterFormat.Thread.events &+ event.rawValue)
    }

    /// By the clock that nobody sets; a few nanoseconds, without a system call.
    @inline(__always)
    private static func now() -> UInt64 {
        var time = timespec()
        // SAFETY: fills the local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000
            &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }

    /// The calling thread's.
    @inline(__always)
    private var block: CounterBlock {
        let known = unsafe clinux_thread_place()
        guard unsafe known.owner == owner, let place = unsafe known.place else { return claim() }
        // SAFETY: `claim` put the place of one of this object's blocks there.
        let words = unsafe place.assumingMemoryBound(to: Atomic<UInt64>.self)
        return unsafe CounterBlock(words: words, isShared: words == shared)
    }

    private var shared: UnsafeMutablePointer<Atomic<UInt64>> {
        // SAFETY: the last block lies in the memory.
        unsafe blocks + (CounterFormat.blockCount &- 1) &* CounterFormat.blockWords
    }

    /// Gives the thread a block. It keeps it for good: threads of a server come and stay.
    private func claim() -> CounterBlock {
        let number = min(taken.wrappingAdd(1, ordering: .relaxed).oldValue, CounterFormat.blockCount - 1)
        // SAFETY: the number is that of a block.
        let words = unsafe blocks + number * CounterFormat.blockWords
        unsafe clinux_set_thread_place(
            clinux_thread_place(owner: owner, place: UnsafeMutableRawPointer(words)))
        return unsafe CounterBlock(words: words, isShared: words == shared)
    }
}

/// A thread's words, or those of all that have none.
@safe
private struct CounterBlock {
    // SAFETY: `CounterFormat.blockWords` atomics of a `Counters` that outlives the value.
    let words: UnsafeMutablePointer<Atomic<UInt64>>
    let isShared: Bool

    @unsafe
    init(words: UnsafeMutablePointer<Atomic<UInt64>>, isShared: Bool) {
        unsafe self.words = words
        self.isShared = isShared
    }

    /// `word` is below `CounterFormat.blockWords`, here and below.
    @inline(__always)
    func get(_ word: Int) -> UInt64 {
        // SAFETY: within the block.
        unsafe words[word].load(ordering: .relaxed)
    }

    @inline(__always)
    func set(_ word: Int, to value: UInt64) {
        // SAFETY: within the block.
        unsafe words[word].store(value, ordering: .relaxed)
    }

    @inline(__always)
    func add(_ value: UInt64, to word: Int) {
        // SAFETY: within the block. Without other writers a load and a store are enough.
        if isShared {
            unsafe words[word].wrappingAdd(value, ordering: .relaxed)
        } else {
            unsafe words[word].store(words[word].load(ordering: .relaxed) &+ value, ordering: .relaxed)
        }
    }
}
