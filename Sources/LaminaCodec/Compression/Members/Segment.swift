// Segment owns a run of compressed bytes that one thread decodes, and what came of them.
// Invariant: from `run` to the end of `wait` the thread has the segment alone. A segment that
// was abandoned is waited for before its compressed bytes are touched.

import LaminaCore
import LaminaSystem
import Synchronization

/// Members or frames on their way through a `MemberPipeline`.
final class Segment: @unchecked Sendable {
    // Safe: the invariant above; queue and `done` order what one side writes before the other reads.
    private var bytes: SegmentBytes
    private var decoder: (any Decoder)?
    /// Whether the decoder refused the bytes. What it says then is left to a second reading.
    private(set) var hasFailed = false
    private var isRunning = false
    private let done = Semaphore(count: 0)
    private let isAbandoned = Atomic<Bool>(false)

    init(inputSize: Int, outputSize: Int) {
        bytes = SegmentBytes(inputSize: inputSize, outputSize: outputSize)
    }

    // MARK: Before it runs

    /// Compressed bytes.
    var inputCount: Int { bytes.inputCount }

    /// Reads more compressed bytes; false at the source's end.
    func fill(
        upTo target: Int, from source: inout some ByteSource & ~Copyable
    ) throws(CodecError) -> Bool {
        try bytes.fill(upTo: target, from: &source)
    }

    func append(_ more: Span<UInt8>) {
        bytes.append(more)
    }

    /// Where the last member or frame in it may end.
    func lastCut(_ compression: Compression) -> Int? {
        bytes.lastCut(compression)
    }

    /// Moves the compressed bytes from `end` on to another segment.
    func cut(at end: Int, rest: Segment) {
        bytes.cut(at: end, rest: rest)
    }

    /// Has the bytes decoded by one of `threads`.
    func run(with decoder: any Decoder, on threads: DecodingThreads) {
        self.decoder = decoder
        isRunning = true
        threads.add(self)
    }

    // MARK: On a thread

    /// Decodes as far as the output has room.
    func decode() {
        defer { done.signal() }
        guard let decoder else { return }
        do throws(CodecError) {
            while !isAbandoned.load(ordering: .relaxed), try bytes.decode(with: decoder) {}
        } catch {
            hasFailed = true
        }
    }

    // MARK: Afterwards

    /// Waits for the thread.
    func wait() {
        guard isRunning else { return }
        done.wait()
        isRunning = false
    }

    /// Tells the thread that nobody wants the result.
    func abandon() {
        isAbandoned.store(true, ordering: .relaxed)
    }

    /// The next decompressed bytes; 0 when no more come of the compressed ones.
    @unsafe
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        guard let decoder else { return 0 }
        return try unsafe bytes.read(into: buffer, decoder)
    }

    /// Whether all compressed bytes were taken.
    var isUsedUp: Bool { bytes.isUsedUp }

    /// Compressed bytes that were taken since the last call.
    func takeCount() -> UInt64 { bytes.takeCount() }

    /// Gives compressed bytes to be decoded elsewhere; false when all were given.
    func giveInput(to buffer: inout Buffer) -> Bool {
        wait()
        return bytes.giveInput(to: &buffer)
    }

    /// Makes the segment new; gives its decoder, which may be in any state.
    func reset() -> (any Decoder)? {
        wait()
        bytes.reset()
        hasFailed = false
        isAbandoned.store(false, ordering: .relaxed)
        return decoder.take()
    }
}
