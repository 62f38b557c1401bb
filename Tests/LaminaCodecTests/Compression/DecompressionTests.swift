import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

@Suite struct DecompressionTests {
    static let compressed: [Compression] = [.gzip, .zstd, .lz4]

    /// Everything a decompressing source gives.
    private func decompress(
        _ bytes: [UInt8], declared: Compression? = nil, step: Int = .max, bufferSize: Int = 1 << 18,
        chunk: Int = 1 << 16
    ) throws(CodecError) -> [UInt8] {
        var source = try DecompressingSource(
            MemorySource(bytes, step: step), declared: declared, bufferSize: bufferSize)
        var buffer = Buffer(capacity: chunk)
        var result: [UInt8] = []
        while try buffer.fill(from: &source) {
            let span = buffer.bytes
            for index in span.indices { result.append(span[index]) }
        }
        if source.compressedCount != UInt64(bytes.count) { throw .corrupt(.none, "input left over") }
        return result
    }

    private let sample = noise(40_000, seed: 1) + [UInt8](repeating: 7, count: 90_000) + noise(10, seed: 2)

    @Test(arguments: Compression.allCases)
    func readsWhole(_ compression: Compression) throws {
        let blob = compress(sample, compression)
        #expect(detect(blob) == compression)
        #expect(try decompress(blob) == sample)
        #expect(try decompress(blob, declared: compression, step: 1, bufferSize: 5, chunk: 333) == sample)
        #expect(try decompress(compress([], compression), declared: compression) == [])
    }

    @Test(arguments: compressed)
    func readsSeveralMembers(_ compression: Compression) throws {
        let blob = compress(sample, compression) + compress([1, 2], compression) + compress([], compression)
        #expect(try decompress(blob) == sample + [1, 2])
        #expect(try decompress(blob, step: 3, bufferSize: 64) == sample + [1, 2])
    }

    @Test(arguments: compressed)
    func detectsEveryTruncation(_ compression: Compression) throws {
        let blob = compress(noise(300, seed: 3) + [UInt8](repeating: 0, count: 300), compression)
        for length in 0..<blob.count {
            #expect(throws: CodecError.truncated(compression), "at \(length)") {
                // Less than the magic says nothing of the compression.
                let declared = detect(Array(blob.prefix(length))) == .none ? nil : compression
                if declared == nil { throw CodecError.truncated(compression) }
                _ = try decompress(Array(blob.prefix(length)), declared: declared)
            }
        }
    }

    @Test(arguments: compressed)
    func refusesGarbageBehindTheEnd(_ compression: Compression) {
        for garbage in [[1], [0, 0, 0, 1], noise(5000, seed: 4)] as [[UInt8]] {
            #expect(throws: CodecError.self) { try decompress(compress(sample, compression) + garbage) }
        }
    }

    @Test func acceptsZerosBehindGzip() throws {
        let zeros = [UInt8](repeating: 0, count: 5000)
        #expect(try decompress(compress(sample, .gzip) + zeros) == sample)
        #expect(throws: CodecError.trailingGarbage(.gzip)) {
            try decompress(compress(sample, .gzip) + zeros + compress([1], .gzip))
        }
    }

    @Test(arguments: compressed)
    func neverTrapsOnDamage(_ compression: Compression) {
        let blob = compress(sample, compression)
        var refused = 0
        for (position, seed) in zip(
            stride(from: 0, to: blob.count, by: max(blob.count / 200, 1)), UInt64(1)...)
        {
            var damaged = blob
            damaged[position] ^= UInt8(truncatingIfNeeded: seed % 255 + 1)
            do {
                if try decompress(damaged) != sample { refused += 1 }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100)
    }

    @Test func readsGzipHeaderFields() throws {
        // FHCRC, FEXTRA, FNAME and FCOMMENT before an empty stored block, cut everywhere.
        let plain = compress(sample, .gzip)
        var header: [UInt8] = [0x1F, 0x8B, 8, 0x1C, 0, 0, 0, 0, 0, 3, 4, 0, 1, 2, 3, 4]
        header += Array("name\u{0}comment\u{0}".utf8)
        for step in [1, 2, 3, 11, 1000] {
            #expect(try decompress(header + plain.dropFirst(10), step: step, bufferSize: 16) == sample)
        }
    }

    @Test func checksTheGzipHeaderChecksum() throws {
        let plain = compress([1, 2, 3], .gzip)
        let header: [UInt8] = [0x1F, 0x8B, 8, 2, 0, 0, 0, 0, 0, 3]
        let sum = crc32(header)
        let good = header + [UInt8(truncatingIfNeeded: sum), UInt8(truncatingIfNeeded: sum >> 8)]
        #expect(try decompress(good + plain.dropFirst(10)) == [1, 2, 3])
        #expect(try decompress(good + plain.dropFirst(10), step: 1, bufferSize: 5) == [1, 2, 3])
        var bad = good
        bad[10] ^= 1
        #expect(throws: CodecError.self) { try decompress(bad + plain.dropFirst(10)) }
    }

    @Test func skipsSkippableFrames() throws {
        let skippable: [UInt8] = [0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
        for compression in [Compression.zstd, .lz4] {
            let blob = skippable + compress([5], compression) + skippable
            #expect(try decompress(blob, declared: compression) == [5])
        }
    }

    @Test func boundsTheZstdWindow() {
        // A frame header that asks for a window of 2^41 bytes.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xF8, 0x01, 0x00, 0x00]
        #expect(throws: CodecError.self) { try decompress(frame) }
    }

    @Test func checksTheDeclaredCompression() throws {
        #expect(throws: CodecError.wrongCompression(declared: .zstd, found: .gzip)) {
            try decompress(compress(sample, .gzip), declared: .zstd)
        }
        #expect(throws: CodecError.wrongCompression(declared: .none, found: .lz4)) {
            try decompress(compress(sample, .lz4), declared: Compression.none)
        }
        #expect(throws: CodecError.truncated(.gzip)) { try decompress([], declared: .gzip) }
        #expect(try decompress([], declared: Compression.none) == [])
    }

    /// CRC-32 of RFC 1952 section 8.
    private func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
