// MemberPipeline owns the decoding of several members or frames at once.
// Invariant: only bytes behind which a decoder really stood at a boundary are given as a segment's
// own; at the first that is otherwise, the rest goes back to be decoded in order, with the decoder
// that stands there. So bytes and errors are those of one decoder.

import LaminaCore
import LaminaSystem

/// Reads ahead, cuts what it read into segments, and gives their bytes in order.
///
/// Memory: `segmentLimit` segments, made once and used again. A run of members that is too
/// long for a segment's compressed bytes is given back; one that gives more than its share of
/// decompressed bytes is finished by whoever reads.
final class MemberPipeline: @unchecked Sendable {
    // Safe: belongs to one source and thus to one thread at a time; only segments are shared.
    /// More threads would wait for the SHA-256 of what they make.
    static let threadLimit = 4
    /// Wrong guesses after which no more are made: somebody has built the stream for them.
    private static let setbackLimit = 8
    /// Compressed bytes of a segment, where there are boundaries.
    private static let firstTarget = 1 << 19

    private let compression: Compression
    private let windowLog: Int32
    private let threadCount: Int
    private let inputSize: Int
    private let outputSize: Int
    private var segmentsToMake: Int
    private var threads: DecodingThreads?
    private var spare: [Segment] = []
    private var spareDecoders: [any Decoder] = []
    /// While active, what is being decoded, in order; otherwise what was read and is to go back.
    private var segments: [Segment] = []
    /// The segment that is being filled.
    private var tail: Segment?
    private var isStopped = false
    private var setbacks = 0

    /// Stands where the bytes given so far end.
    private(set) var decoder: (any Decoder)?
    /// Whether `read` has something to give.
    private(set) var isActive = false
    /// What upstream said when it was read; then nothing more can be read.
    private(set) var failure: CodecError?
    /// Segments that were decoded ahead and given.
    private(set) var segmentsGiven = 0
    /// Whether upstream is at its end, or failed.
    private(set) var isAtEnd = false

    /// Nil where nothing is to be done at once. No segment is smaller than `least` bytes.
    init?(_ compression: Compression, windowLog: Int32, threads: Int, memory: Int, least: Int) {
        guard threads > 1, compression == .gzip || compression == .zstd else { return nil }
        self.compression = compression
        self.windowLog = windowLog
        threadCount = min(threads, Self.threadLimit)
        // One is filled and one is read while the threads work.
        segmentsToMake = threadCount + 2
        inputSize = max(memory / segmentsToMake / 4, least, 1)
        outputSize = max(memory / segmentsToMake / 4 * 3, 1)
    }

    deinit {
        for segment in segments { segment.abandon() }
    }

    /// Whether `start` may be called.
    var canStart: Bool { segments.isEmpty && !isAtEnd && setbacks < Self.setbackLimit }

    /// Goes on where `decoder` ended a member: with `rest`, then with upstream. False when `rest`
    /// was not taken.
    func start(behind decoder: any Decoder, _ rest: Span<UInt8>) -> Bool {
        guard let first = takeSpare() else { return false }
        first.append(rest)
        tail = first
        self.decoder = decoder
        isStopped = false
        isActive = true
        return true
    }

    /// The next decompressed bytes; 0 when the pipeline is no longer active.
    @unsafe
    func read(
        into buffer: UnsafeMutableRawBufferPointer, from upstream: inout some ByteSource & ~Copyable,
        _ compressedCount: inout UInt64
    ) throws(CodecError) -> Int {
        while isActive {
            feed(from: &upstream)
            guard let head = segments.first else {
                stop()
                break
            }
            head.wait()
            if head.hasFailed {
                setBack()
                break
            }
            let got = try unsafe head.read(into: buffer)
            compressedCount += head.takeCount()
            if got > 0 { return got }
            guard head.isUsedUp else { throw .corrupt(compression, "the decoder makes no progress") }
            retire(head)
            if decoder?.isAtBoundary != true { setBack() }
        }
        return 0
    }

    /// When not active: fills `buffer` with bytes that were read from upstream; false when all
    /// have gone back.
    func giveBack(to buffer: inout Buffer) -> Bool {
        while let first = segments.first {
            if first.giveInput(to: &buffer) { return true }
            segments.removeFirst()
            _ = first.reset()
            spare.append(first)
        }
        buffer.shorten(to: 0)
        return false
    }

    // MARK: Cutting

    /// Hands out segments as long as there are some to fill.
    private func feed(from upstream: inout some ByteSource & ~Copyable) {
        while !isStopped, !isAtEnd, spare.count + segmentsToMake > (tail == nil ? 1 : 0) {
            guard let segment = tail ?? takeSpare() else { return }
            tail = segment
            guard let end = fill(segment, from: &upstream), let threads = startThreads(),
                let decoder = makeDecoder()
            else {
                isStopped = true
                return
            }
            tail = nil
            if end < segment.inputCount, let next = takeSpare() {
                segment.cut(at: end, rest: next)
                tail = next
            }
            segments.append(segment)
            segment.run(with: decoder, on: threads)
        }
    }

    /// Reads until `segment` can be cut; where, or nil when it cannot.
    private func fill(_ segment: Segment, from upstream: inout some ByteSource & ~Copyable) -> Int? {
        var target = min(Self.firstTarget, inputSize / 2)
        while true {
            do throws(CodecError) {
                isAtEnd = try !segment.fill(upTo: target, from: &upstream)
            } catch {
                failure = error
                isAtEnd = true
            }
            // Nothing is gained for a single last segment.
            if isAtEnd { return segments.isEmpty || segment.inputCount == 0 ? nil : segment.inputCount }
            if let end = segment.lastCut(compression) { return end }
            if target >= inputSize { return nil }
            target = min(max(target, 1) * 2, inputSize)
        }
    }

    private func startThreads() -> DecodingThreads? {
        if threads == nil { threads = DecodingThreads(count: threadCount) }
        return threads
    }

    /// A decoder at a boundary.
    private func makeDecoder() -> (any Decoder)? {
        if let decoder = spareDecoders.popLast() { return decoder }
        return (try? compression.makeDecoder(windowLog: windowLog)) ?? nil
    }

    private func takeSpare() -> Segment? {
        if let segment = spare.popLast() { return segment }
        guard segmentsToMake > 0 else { return nil }
        segmentsToMake -= 1
        return Segment(inputSize: inputSize, outputSize: outputSize)
    }

    // MARK: Going on

    /// Takes over where the first segment ended.
    private func retire(_ head: Segment) {
        segments.removeFirst()
        segmentsGiven += 1
        if let decoder, decoder.isAtBoundary { spareDecoders.append(decoder) }
        decoder = head.reset()
        spare.append(head)
    }

    /// A guess was wrong, or bytes are damaged: all from here on is decoded in order.
    private func setBack() {
        setbacks += 1
        for segment in segments {
            segment.abandon()
        }
        stop()
    }

    private func stop() {
        isActive = false
        if let tail { segments.append(tail) }
        tail = nil
    }
}
