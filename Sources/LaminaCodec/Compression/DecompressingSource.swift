// DecompressingSource owns a compressed source and gives its decompressed bytes.

import LaminaCore

/// The decompressed bytes of `upstream`.
///
/// The end is reached only when upstream is at its end too, so that whatever upstream
/// hashes on the way has seen every byte.
public struct DecompressingSource<Upstream: ByteSource & ~Copyable>: ~Copyable, ByteSource {
    /// What the bytes are compressed with.
    public let compression: Compression
    /// Where the compressed bytes come from.
    public var upstream: Upstream
    /// Compressed bytes that the decoder took so far.
    public private(set) var compressedCount: UInt64 = 0

    private var decoder: (any Decoder)?
    private var input: Buffer
    private var position = 0
    private var atEnd = false
    /// Takes over where the stream turns out to have several members or frames.
    let pipeline: MemberPipeline?

    /// The largest zstd window accepted, as a base-2 logarithm: 128 MiB, what `zstd` itself
    /// accepts without `--long`.
    public static var windowLog: Int32 { 27 }

    /// Reads the first bytes of `upstream` and finds out its compression, which must be
    /// `declared` where that is given. Memory: one buffer of `bufferSize` bytes and the
    /// library's own state.
    ///
    /// With `threads` above 1, members of gzip and frames of zstd are decoded by as many threads,
    /// at most four, which end with the source; then with at most `memory` bytes more, and one
    /// state of the library for each of six runs of members. Bytes and errors stay the same.
    public init(
        _ upstream: consuming Upstream, declared: Compression? = nil, bufferSize: Int = 1 << 18,
        threads: Int = 1, memory: Int = 32 << 20
    ) throws(CodecError) {
        var upstream = upstream
        var input = Buffer(capacity: bufferSize)
        let any = try input.fill(from: &upstream)
        let found = Compression.detect(input.bytes)
        if let declared, any || declared != .none, !declared.agrees(with: input.bytes) {
            throw any ? .wrongCompression(declared: declared, found: found) : .truncated(declared)
        }
        let compression = declared ?? found
        self.init(
            upstream, input, compression, try compression.makeDecoder(windowLog: Self.windowLog), atEnd: !any,
            MemberPipeline(
                compression, windowLog: Self.windowLog, threads: threads, memory: memory,
                least: bufferSize))
    }

    private init(
        _ upstream: consuming Upstream, _ input: consuming Buffer, _ compression: Compression,
        _ decoder: (any Decoder)?, atEnd: Bool, _ pipeline: MemberPipeline?
    ) {
        self.compression = compression
        self.decoder = decoder
        self.upstream = upstream
        self.input = input
        self.atEnd = atEnd
        self.pipeline = pipeline
    }

    /// Gives the upstream back, for its own end.
    public consuming func release() -> Upstream {
        upstream
    }

    @unsafe
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        guard decoder != nil else { return try unsafe readPlain(buffer) }
        if unsafe buffer.isEmpty { return 0 }
        while let decoder {
            if let pipeline, takesOver(pipeline, decoder) {
                let got = try unsafe pipeline.read(into: buffer, from: &upstream, &compressedCount)
                if got > 0 { return got }
                self.decoder = pipeline.decoder
                continue
            }
            let step = try unsafe decoder.step(
                over: input.bytes.extracting(position..<input.count), into: buffer)
            position += step.consumed
            compressedCount += UInt64(step.consumed)
            if step.produced > 0 { return min(step.produced, buffer.count) }
            if step.consumed > 0 { continue }
            if position < input.count { throw .corrupt(compression, "the decoder makes no progress") }
            if atEnd {
                try decoder.finish()
                return 0
            }
            position = 0
            atEnd = try !refill()
        }
        return 0
    }

    /// Whether the pipeline decodes what comes next.
    private mutating func takesOver(
        _ pipeline: MemberPipeline, _ decoder: any Decoder
    ) -> Bool {
        if pipeline.isActive { return true }
        guard decoder.isAtBoundary, !atEnd, pipeline.canStart,
            pipeline.start(behind: decoder, input.bytes.extracting(position..<input.count))
        else { return false }
        position = input.count
        return true
    }

    /// Reads the next compressed bytes: first those that the pipeline read and gave back.
    private mutating func refill() throws(CodecError) -> Bool {
        if let pipeline {
            if pipeline.giveBack(to: &input) { return true }
            if let failure = pipeline.failure { throw failure }
            if pipeline.isAtEnd { return false }
        }
        return try input.refill(from: &upstream)
    }

    /// Without compression: what the first look took, then upstream's bytes without a copy.
    private mutating func readPlain(_ buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        let count = min(buffer.count, input.count - position)
        if count == 0 {
            let got = try unsafe upstream.read(into: buffer)
            compressedCount += UInt64(got)
            return got
        }
        let range = position..<(position + count)
        // SAFETY: `count` bytes fit into the caller's buffer.
        unsafe input.bytes.extracting(range).withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
        position += count
        compressedCount += UInt64(count)
        return count
    }
}

extension DecompressingSource: Sendable where Upstream: Sendable & ~Copyable {}
