import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

/// What the encoders write, our decoders read; and threads change no byte of it.
@Suite struct EncoderTests {
    private static let sizes = [0, 1, 511, 1 << 20, (1 << 20) + 1, 5_000_003]

    private func encoded(_ bytes: [UInt8], _ settings: EncoderSettings) throws -> [UInt8] {
        var output: [UInt8] = []
        var source = MemorySource(bytes, step: 70_001)
        try settings.encode(&source) { (piece) throws(CodecError) in
            unsafe piece.withUnsafeBytes { output += unsafe Array($0) }
        }
        return output
    }

    private func decoded(_ bytes: [UInt8]) throws -> ([UInt8], Compression) {
        var source = try DecompressingSource(MemorySource(bytes))
        var buffer = Buffer(capacity: 1 << 16)
        var output: [UInt8] = []
        while try buffer.fill(from: &source) {
            unsafe buffer.bytes.withUnsafeBufferPointer { output += unsafe Array($0) }
        }
        return (output, source.compression)
    }

    /// Half noise, half text.
    private func sample(_ count: Int) -> [UInt8] {
        let half = noise(count / 2, seed: 3)
        return half + (0..<(count - count / 2)).map { UInt8(truncatingIfNeeded: $0 / 97) }
    }

    @Test(arguments: Compression.allCases, sizes)
    func comesBack(_ compression: Compression, _ size: Int) throws {
        let bytes = sample(size)
        let (back, found) = try decoded(encoded(bytes, EncoderSettings(compression)))
        #expect(back == bytes)
        #expect(found == compression || size < 4)
    }

    @Test(arguments: Compression.allCases)
    func levelsAndThreads(_ compression: Compression) throws {
        let bytes = sample(3_500_000)
        let alone = try encoded(bytes, EncoderSettings(compression, threads: 1))
        #expect(try encoded(bytes, EncoderSettings(compression, threads: 4)) == alone)
        guard let levels = EncoderSettings.levels(of: compression) else { return }
        for level in [levels.lowerBound, levels.upperBound] {
            let (back, _) = try decoded(
                encoded(bytes, EncoderSettings(compression, level: level, threads: 2)))
            #expect(back == bytes, "\(compression) \(level)")
        }
    }

    @Test func errorsOfTheTakerPass() {
        var source = MemorySource(sample(3_000_000))
        #expect(throws: CodecError.write(.noSpace)) {
            try EncoderSettings(.zstd).encode(&source) { (_) throws(CodecError) in throw .write(.noSpace) }
        }
    }
}
