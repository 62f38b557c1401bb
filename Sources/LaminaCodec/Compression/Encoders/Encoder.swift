// Encoder is the shape that the three compression libraries are brought into. What comes out is decided by
// what goes in and the level, whatever the number of threads.

import LaminaCore

/// A compressor that is fed pieces of input. A class, as `Decoder` is.
protocol Encoder: AnyObject {
    /// Takes the next bytes; gives what is complete to `output`.
    func encode(_ bytes: Span<UInt8>, _ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError)

    /// Called behind the last bytes.
    func finish(_ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError)
}

/// How layers are compressed.
public struct EncoderSettings: Sendable, Hashable {
    public var compression: Compression
    /// The codec's own number; nil for its default.
    public var level: Int32?
    /// Threads to use, at least one.
    public var threads: Int

    public init(_ compression: Compression, level: Int32? = nil, threads: Int = 1) {
        self.compression = compression
        self.level = level
        self.threads = max(threads, 1)
    }

    /// What `level` may be; nil where there is none.
    public static func levels(of compression: Compression) -> ClosedRange<Int32>? {
        switch compression {
        case .none: nil
        case .gzip: 0...3
        case .zstd: 1...19
        case .lz4: 0...12
        }
    }

    fileprivate func makeEncoder() throws(CodecError) -> (any Encoder)? {
        switch compression {
        case .none: nil
        case .gzip: GzipEncoder(level: level ?? 1, threads: threads)
        case .zstd: try ZstdEncoder(level: level ?? 3, threads: threads)
        case .lz4: try LZ4Encoder(level: level ?? 0)
        }
    }

    /// Compresses all of `source`, as one gzip member, zstd frame or lz4 frame. O(bytes).
    public func encode<Source: ByteSource & ~Copyable>(
        _ source: inout Source, _ output: (RawSpan) throws(CodecError) -> Void
    ) throws(CodecError) {
        let encoder = try makeEncoder()
        var buffer = Buffer(capacity: 1 << 20)
        while try buffer.fill(from: &source) {
            if let encoder { try encoder.encode(buffer.bytes, output) } else { try output(buffer.bytes.raw) }
        }
        try encoder?.finish(output)
    }
}
