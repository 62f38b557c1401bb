// Decoder is the shape that the three decompression libraries are brought into.

import LaminaCore

/// How far one step of a decoder came, in bytes.
struct DecoderStep {
    var consumed: Int
    var produced: Int
}

/// A decompressor that is fed pieces of input and fills pieces of output.
///
/// A class, so that the library's state has one address and one end; a step is called once
/// per buffer and never per block. A decoder belongs to one source and thus to one thread
/// at a time.
protocol Decoder: AnyObject, Sendable {
    /// Decodes from `input` into `output`, which is never empty. Neither consuming nor
    /// producing means that more input is needed.
    @unsafe
    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> DecoderStep

    /// Called at the end of the input; throws `truncated` within a member or frame.
    func finish() throws(CodecError)

    /// Whether the last step ended right behind a member or frame.
    var isAtBoundary: Bool { get }
}

extension Decoder {
    /// One step over a span.
    @unsafe
    func step(
        over input: Span<UInt8>, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> DecoderStep {
        // SAFETY: input and output are alive during the step and do not overlap.
        try unsafe input.withUnsafeBytes { (bytes) throws(CodecError) in
            try unsafe step(bytes, output)
        }
    }
}

extension Compression {
    /// A decoder of this compression; nil for `none`. `windowLog` bounds zstd's window.
    func makeDecoder(windowLog: Int32) throws(CodecError) -> (any Decoder)? {
        switch self {
        case .none: nil
        case .gzip: try GzipDecoder()
        case .zstd: try ZstdDecoder(windowLog: windowLog)
        case .lz4: try LZ4Decoder()
        }
    }
}
