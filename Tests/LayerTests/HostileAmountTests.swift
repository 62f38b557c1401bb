import Foundation
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Little that becomes much: entries, zeros, xattrs, directories.
@Suite struct HostileAmountTests {
    /// A tar of `count` empty files in directories of a thousand, made while it is read.
    private struct ManyEntries: ByteSource {
        let count: Int
        private var made = 0
        private var block: [UInt8]
        /// The checksum of a header whose name has only zeros for digits.
        private let baseSum: Int
        private static let name = "d0000/f000000000"

        init(_ count: Int) {
            self.count = count
            var tar = TarBuilder()
            tar.add(Self.name)
            block = tar.bytes
            TarBuilder.put([UInt8](repeating: 32, count: 8), in: &block, at: 148)
            baseSum = block.reduce(0) { $0 + Int($1) }
        }

        @unsafe
        mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
            var filled = 0
            while made < count, filled + 512 <= buffer.count {
                setName()
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                // SAFETY: the rest has room for a block.
                unsafe block.withUnsafeBytes { unsafe rest.copyMemory(from: $0) }
                filled += 512
                made += 1
            }
            return filled
        }

        private mutating func setName() {
            var sum = baseSum
            var digits = made
            for place in stride(from: 15, to: 6, by: -1) {
                block[place] = 48 + UInt8(digits % 10)
                sum += digits % 10
                digits /= 10
            }
            digits = made / 1000
            for place in stride(from: 4, to: 0, by: -1) {
                block[place] = 48 + UInt8(digits % 10)
                sum += digits % 10
                digits /= 10
            }
            for place in stride(from: 153, to: 147, by: -1) {
                block[place] = 48 + UInt8(sum & 7)
                sum >>= 3
            }
            block[154] = 0
        }
    }

    @Test func aMillionTinyEntries() throws {
        try withFreshStore { store in
            let before = try residentSize()
            var builder = LayerIndexBuilder()
            let staged = try store.ingestLayer(from: ManyEntries(1_000_000), into: &builder)
            #expect(staged.summary.entryCount == 1_000_000 && staged.summary.tarSize == 512_000_000)
            #expect(try residentSize() - before < 600 << 20)
        }
    }

    @Test func tooManyEntries() throws {
        try withFreshStore { store in
            var options = IngestOptions()
            options.limits.entries = 1000
            var builder = LayerIndexBuilder()
            #expect(throws: StoreError.layer(.layer(.tooManyEntries(limit: 1000)))) {
                _ = try store.ingestLayer(from: ManyEntries(1_000_000), options: options, into: &builder)
            }
        }
    }

    /// Directories that are only implied are names too.
    @Test func tooManyImpliedDirectories() throws {
        var tar = TarBuilder()
        for number in 0..<10 {
            tar.addPax([("path", Array(("\(number)/" + String(repeating: "a/", count: 1000)).utf8))])
            tar.add("x")
        }
        #expect(try StoredLayer(tar.bytes).paths().count == 10_010)
        var builder = LayerIndexBuilder(entryLimit: 5000)
        var parser = TarParser()
        var cursor = 0
        var refusal: LayerError?
        while let event = try parser.next(in: tar.bytes.span, at: &cursor) {
            guard case .entry(let entry) = event else { continue }
            do throws(LayerError) {
                try builder.add(entry, data: .empty)
            } catch {
                refusal = error
                break
            }
        }
        #expect(refusal == .tooManyEntries(limit: 5000))
    }

    /// 4 GiB of zeros behind 4 MiB of gzip: refused at the 256 MiB that anything may have.
    @Test(arguments: [Compression.gzip, .zstd])
    func zeros(_ compression: Compression) throws {
        var tar = TarBuilder()
        tar.add("zeros", size: 4 << 30)
        let member = compress([UInt8](repeating: 0, count: 64 << 20), compression)
        var blob = compress(tar.bytes, compression)
        for _ in 0..<64 { blob += member }
        #expect(blob.count < 16 << 20)
        #expect(try StoredLayer.refusal(of: blob) == .layer(.layer(.expandsTooMuch(limit: 256))))
    }

    @Test func zerosInLZ4() throws {
        // A block of lz4 expands to 255 times its size at most, so the total has to bound it.
        let member = compress([UInt8](repeating: 0, count: 16 << 20), .lz4)
        var tar = TarBuilder()
        tar.add("zeros", size: 4 << 30)
        var blob = compress(tar.bytes, .lz4)
        for _ in 0..<8 { blob += member }
        var limits = IngestLimits()
        limits.tarSize = 64 << 20
        #expect(
            try StoredLayer.refusal(of: blob, limits: limits)
                == .layer(.layer(.tooManyBytes(limit: 64 << 20))))
    }

    @Test func xattrs() throws {
        var tar = TarBuilder()
        tar.addPax((0..<20).map { ("SCHILY.xattr.user.\($0)", noise(20_000, seed: UInt64($0))) })
        tar.add("f")
        #expect(try StoredLayer.refusal(of: tar.bytes) == .layer(.layer(.attributesTooLarge("f"))))
        var many = TarBuilder()
        many.addPax((0..<100_000).map { ("SCHILY.xattr.user.\($0)", []) }.dropLast(70_000))
        many.add("f")
        #expect(try StoredLayer.refusal(of: many.bytes) == .layer(.layer(.attributesTooLarge("f"))))
    }

    /// What one global header says of every entry.
    @Test func globalHeaders() throws {
        var tar = TarBuilder()
        tar.addPax([("SCHILY.xattr.user.bomb", [UInt8](repeating: 1, count: 60_000))], type: "g")
        for number in 0..<200 { tar.add("f\(number)") }
        var limits = IngestLimits()
        limits.metadataSize = 10_000_000
        #expect(
            try StoredLayer.refusal(of: tar.bytes, limits: limits)
                == .layer(.layer(.metadataTooLarge(limit: 10_000_000))))
        #expect(try StoredLayer.refusal(of: tar.bytes) == nil)
        var links = TarBuilder()
        links.addPax([("linkpath", [UInt8](repeating: 97, count: 4095))], type: "g")
        for number in 0..<100 { links.add("s\(number)", type: "2") }
        limits.metadataSize = 100 * 4095 - 1
        #expect(
            try StoredLayer.refusal(of: links.bytes, limits: limits)
                == .layer(.layer(.metadataTooLarge(limit: 409_499))))
        limits.metadataSize += 1
        #expect(try StoredLayer.refusal(of: links.bytes, limits: limits) == nil)
    }

    /// Bytes of memory that this process has now.
    private func residentSize() throws -> Int {
        let status = try String(contentsOf: URL(filePath: "/proc/self/statm"), encoding: .utf8)
        return try #require(Int(status.split(separator: " ")[1])) * 4096
    }
}
