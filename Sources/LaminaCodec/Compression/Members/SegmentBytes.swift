// SegmentBytes owns the two blocks of a segment and how far its decoder came in them.

import LaminaCore

/// Compressed bytes and what they were decoded to.
struct SegmentBytes: ~Copyable {
    private var input: Buffer
    private var output: Buffer
    /// Compressed bytes that the decoder took, and how many of those were told.
    private var consumed = 0
    private var counted = 0
    /// Bytes that were given on: decompressed ones, or compressed ones.
    private var given = 0

    init(inputSize: Int, outputSize: Int) {
        input = Buffer(capacity: inputSize)
        output = Buffer(capacity: outputSize)
    }

    var inputCount: Int { input.count }

    /// Whether the decoder took all compressed bytes.
    var isUsedUp: Bool { consumed == input.count }

    /// Reads more compressed bytes; false at the source's end.
    mutating func fill(
        upTo target: Int, from source: inout some ByteSource & ~Copyable
    ) throws(CodecError) -> Bool {
        try input.append(upTo: target, from: &source)
    }

    mutating func append(_ bytes: Span<UInt8>) {
        input.append(bytes)
    }

    borrowing func lastCut(_ compression: Compression) -> Int? {
        MemberCut.last(in: input.bytes, of: compression)
    }

    /// Moves the compressed bytes from `end` on to `rest`.
    mutating func cut(at end: Int, rest: Segment) {
        rest.append(input.bytes.extracting(end..<input.count))
        input.shorten(to: end)
    }

    /// One step into the output; false when there is no room, no progress, or nothing left.
    mutating func decode(with decoder: any Decoder) throws(CodecError) -> Bool {
        guard output.count < output.capacity else { return false }
        let step = try output.append(from: decoder, input, behind: consumed)
        consumed += step.consumed
        if step.consumed == 0 && step.produced == 0 { return false }
        return !(isUsedUp && decoder.isAtBoundary)
    }

    /// Gives the next decompressed bytes: what was decoded, then what the output had no room
    /// for; 0 when no more come of the compressed bytes.
    @unsafe
    mutating func read(
        into buffer: UnsafeMutableRawBufferPointer, _ decoder: any Decoder
    ) throws(CodecError) -> Int {
        let ready = min(output.count - given, buffer.count)
        if ready > 0 {
            // SAFETY: `ready` bytes are in both.
            unsafe output.bytes.extracting(given..<given + ready).withUnsafeBytes { bytes in
                unsafe buffer.copyMemory(from: bytes)
            }
            given += ready
            return ready
        }
        while true {
            let step = try unsafe decoder.step(
                over: input.bytes.extracting(consumed..<input.count), into: buffer)
            consumed += step.consumed
            if step.produced > 0 { return min(step.produced, buffer.count) }
            if step.consumed == 0 { return 0 }
        }
    }

    /// Compressed bytes that were taken since the last call.
    mutating func takeCount() -> UInt64 {
        defer { counted = consumed }
        return UInt64(consumed - counted)
    }

    /// Gives compressed bytes to be decoded elsewhere; false when all were given.
    mutating func giveInput(to buffer: inout Buffer) -> Bool {
        guard given < input.count else { return false }
        buffer.shorten(to: 0)
        given += buffer.append(input.bytes.extracting(given..<input.count))
        return true
    }

    /// Forgets all bytes.
    mutating func reset() {
        input.shorten(to: 0)
        output.shorten(to: 0)
        (consumed, counted, given) = (0, 0, 0)
    }
}
