import LaminaCore
import LaminaTestSupport
import Testing

@testable import LaminaCodec

/// What is decoded by several threads is what one decoder says, byte for byte and error for error.
@Suite struct MemberPipelineTests {
    /// Hashes what passes, as the ingest does, and may fail at a place.
    private struct Upstream: ByteSource {
        private var source: MemorySource
        private(set) var seen: [UInt8] = []
        private let failsAt: Int?

        init(_ bytes: [UInt8], step: Int, failsAt: Int?) {
            source = MemorySource(failsAt.map { Array(bytes.prefix($0)) } ?? bytes, step: step)
            self.failsAt = failsAt
        }

        @unsafe
        mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
            let got = try unsafe source.read(into: buffer)
            unsafe seen.append(contentsOf: buffer[..<got])
            if got == 0 && failsAt != nil { throw .read(.ioError) }
            return got
        }
    }

    private struct Outcome {
        var bytes: [UInt8] = []
        var error: CodecError?
        /// What upstream was asked for, and what was taken of it.
        var seen: [UInt8] = []
        var taken: UInt64 = 0
        var segments = 0
    }

    /// How a stream is read; sizes are small, so that a test has many segments.
    private struct Reading {
        var step = 1 << 20
        var bufferSize = 512
        var chunk = 3000
        var failsAt: Int?
        var memory = 128 << 10
    }

    private func decompress(_ bytes: [UInt8], threads: Int, _ reading: Reading) -> Outcome {
        var outcome = Outcome()
        do throws(CodecError) {
            var source = try DecompressingSource(
                Upstream(bytes, step: reading.step, failsAt: reading.failsAt), bufferSize: reading.bufferSize,
                threads: threads, memory: reading.memory)
            var buffer = Buffer(capacity: reading.chunk)
            do throws(CodecError) {
                while try buffer.refill(from: &source) {
                    let span = buffer.bytes
                    for index in span.indices { outcome.bytes.append(span[index]) }
                }
            } catch {
                outcome.error = error
            }
            outcome.segments = source.pipeline?.segmentsGiven ?? 0
            outcome.taken = source.compressedCount
            outcome.seen = source.release().seen
        } catch {
            outcome.error = error
        }
        return outcome
    }

    /// Compares both ways of reading; the number of segments that were decoded ahead.
    @discardableResult
    private func check(_ blob: [UInt8], _ reading: Reading = Reading(), _ what: String = "") -> Int {
        let serial = decompress(blob, threads: 1, reading)
        var segments = 0
        for threads in 2...4 {
            let parallel = decompress(blob, threads: threads, reading)
            segments += parallel.segments
            #expect(parallel.error == serial.error, "\(what)")
            if serial.error == nil {
                #expect(parallel.bytes == serial.bytes, "\(what)")
                #expect(parallel.seen == blob && parallel.taken == UInt64(blob.count), "\(what)")
            } else {
                // How much of a damaged member is given depends on the buffers.
                let common = min(parallel.bytes.count, serial.bytes.count)
                #expect(parallel.bytes[..<common] == serial.bytes[..<common], "\(what)")
            }
        }
        #expect(serial.segments == 0)
        return segments
    }

    private static let families: [Compression] = [.gzip, .zstd]

    @Test(arguments: families) func decodesAhead(_ compression: Compression) {
        let pieces = (0..<60).map {
            noise(700 + 37 * $0, seed: UInt64($0)) + [UInt8](repeating: 1, count: 900)
        }
        let blob = pieces.flatMap { compress($0, compression) }
        #expect(check(blob) > 30)
        #expect(check(blob, Reading(step: 7, bufferSize: 64)) > 30)
        #expect(check(compress(pieces.flatMap(\.self), compression)) == 0)
    }

    @Test func otherCompressionsHaveNone() {
        let blob = (0..<20).flatMap { compress(noise(3000, seed: $0), .lz4) }
        #expect(check(blob) == 0)
    }

    /// Members that look like more than they are: zeros that expand a lot, files that are gzip
    /// themselves and lie uncompressed in the stream, headers in noise, members too long for a segment.
    private static func piece(_ random: inout Random, _ compression: Compression) -> [UInt8] {
        let seed = UInt64(random.below(1 << 30))
        switch random.below(8) {
        case 0: return []
        case 1: return [UInt8](repeating: UInt8(random.below(256)), count: random.below(120_000))
        case 2: return compress(noise(random.below(3000), seed: seed), compression)
        case 3:
            let inner = (0..<random.below(4)).flatMap { _ in compress(noise(200, seed: seed), compression) }
            return noise(random.below(500), seed: seed) + inner + noise(random.below(500), seed: seed + 1)
        case 4:
            let header = Array(compress([1], compression).prefix(10))
            return noise(random.below(2000), seed: seed) + header + noise(random.below(2000), seed: seed + 1)
        case 5 where random.below(6) == 0: return noise(20_000, seed: seed)
        default: return noise(random.below(4000), seed: seed)
        }
    }

    /// A zstd frame of one raw block that asks for a window of 2^`log` bytes; more than 2^27 are refused.
    private static func frame(_ bytes: [UInt8], windowLog log: Int) -> [UInt8] {
        let header = bytes.count << 3 | 1
        return [0x28, 0xB5, 0x2F, 0xFD, 0, UInt8((log - 10) << 3)]
            + [UInt8(header & 0xFF), UInt8(header >> 8 & 0xFF), UInt8(header >> 16)] + bytes
    }

    @Test func framesWithGreatWindowsAreDecodedInOrder() {
        func blob(_ logs: [Int]) -> [UInt8] {
            logs.flatMap { Self.frame(noise(1000, seed: UInt64($0)), windowLog: $0) }
        }
        let small = [Int](repeating: 20, count: 40)
        #expect(check(blob(small)) > 10)
        #expect(check(blob([Int](repeating: 26, count: 40))) == 0)
        #expect(check(blob(small + [26] + small + [27] + small)) > 20)
        check(blob(small + [28] + small))
        #expect(decompress(blob(small + [28]), threads: 2, Reading()).error != nil)
    }

    private static func stream(_ random: inout Random, _ compression: Compression) -> [UInt8] {
        var blob: [UInt8] = []
        for _ in 0...random.below(40) {
            if compression == .zstd && random.below(6) == 0 {
                let size = random.below(300)
                blob += [0x50, 0x2A, 0x4D, 0x18, UInt8(size & 0xFF), UInt8(size >> 8), 0, 0]
                blob += noise(size, seed: 1)
            } else if compression == .zstd && random.below(6) == 0 {
                blob += frame(noise(random.below(900), seed: 2), windowLog: 10 + random.below(18))
            }
            blob += compress(piece(&random, compression), compression)
        }
        return blob
    }

    /// What happens to a stream on its way.
    private static func damage(
        _ blob: inout [UInt8], _ reading: inout Reading, _ compression: Compression, _ random: inout Random
    ) -> String {
        switch random.below(8) {
        case 0: blob.removeLast(random.below(blob.count))
        case 1, 2: blob[random.below(blob.count)] ^= UInt8(1 + random.below(255))
        case 3: blob += noise(1 + random.below(600), seed: 5)
        case 4:
            blob += [UInt8](repeating: 0, count: random.below(5000))
            if random.below(2) == 0 { blob += compress([1], compression) }
        case 5: reading.failsAt = random.below(blob.count)
        default: return "whole"
        }
        return "damaged"
    }

    @Test(arguments: families, 0..<4) func agreesWithOneDecoder(_ compression: Compression, _ part: Int) {
        var segments = 0
        for round in 0..<60 {
            var random = Random(seed: UInt64(part * 1000 + round))
            var blob = Self.stream(&random, compression)
            var reading = Reading()
            reading.bufferSize = [64, 512, 4096][random.below(3)]
            reading.step = [13, 1000, 1 << 20][random.below(3)]
            reading.chunk = [100, 3000, 50_000][random.below(3)]
            let fate = Self.damage(&blob, &reading, compression, &random)
            segments += check(blob, reading, "part \(part) round \(round): \(fate)")
        }
        #expect(segments > 300)
    }

    /// A stream built against the guesses: they end, and the bytes are right.
    @Test func manyWrongGuesses() {
        let inner = (0..<12).flatMap { compress(noise(300, seed: $0), .gzip) }
        let blob = (0..<60).flatMap { _ in compress(inner, .gzip) }
        check(blob)
    }

    @Test(arguments: families) func endsInTheMiddle(_ compression: Compression) throws {
        let blob = (0..<200).flatMap { compress(noise(2000, seed: $0), compression) }
        for length in [1, 10_000, 300_000] {
            var source = try DecompressingSource(
                MemorySource(blob), bufferSize: 512, threads: 4, memory: 128 << 10)
            var buffer = Buffer(capacity: length)
            #expect(try buffer.fill(from: &source))
            #expect(buffer.count == length)
        }
    }

    /// Numbers that a seed decides.
    private struct Random {
        private var state: UInt64

        init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

        mutating func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return limit <= 1 ? 0 : Int(state >> 33) % limit
        }
    }
}
