// The block map by itself: its bits, its bytes, and what a damaged one does.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite struct BlockBitsTests {
    @Test func findsRuns() {
        var bits = BlockBits(count: 300)
        bits.apply(bits.adding(3..<5))
        bits.apply(bits.adding(60..<200))
        bits.apply(bits.adding(299..<400))
        #expect(bits.setCount == 2 + 140 + 1)
        let runs = [(0, 3), (3, 5), (5, 60), (63, 200), (64, 200), (200, 299), (299, 300)]
        for (start, end) in runs {
            #expect(bits.endOfRun(from: start, below: 300) == end)
            #expect(bits.endOfRun(from: start, below: min(end, start + 1)) == start + 1)
        }
        #expect(!bits.contains(2) && bits.contains(3) && bits.contains(299) && !bits.contains(300))
    }

    @Test func changesNameOnlyTheWordsThatDiffer() {
        var bits = BlockBits(count: 640)
        bits.apply(bits.adding(0..<256))
        #expect(bits.adding(0..<256).words.isEmpty)
        #expect(bits.adding(0..<257) == BlockBits.Change(first: 4, words: [1]))
        #expect(bits.adding(5..<5).words.isEmpty)
        var other = BlockBits(count: 640)
        other.apply(other.adding(639..<640))
        #expect(bits.adding(other) == BlockBits.Change(first: 9, words: [1 << 63]))
    }

    @Test func dropsBitsBehindTheEnd() {
        let bits = BlockBits(count: 70, words: [.max, .max, .max])
        #expect(bits.setCount == 70)
        #expect(BlockBits(count: 64, words: [.max]).setCount == 64)
    }
}

@Suite struct BlockMapTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func file() throws -> SharedDescriptor {
        SharedDescriptor(try directory.descriptor.open("map", O_RDWR | O_CREAT, permissions: 0o600))
    }

    @Test func bytesAreThoseOfTheFormat() throws {
        var map = try BlockMap(creating: file(), nid: 0x1234, size: 10 << 30)
        try map.setWritten(9..<10)
        try map.setDurable(map.written)
        let bytes = try file().descriptor.readAll(limit: 1 << 20)
        #expect(bytes.count == 4096 + 2 * 81_920)
        #expect(Array(bytes[..<16]) == Array("LAMBMAP1".utf8) + [1, 0, 0, 0, 14, 0, 0, 0])
        #expect(Array(bytes[16..<32]) == [0x34, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 2, 0, 0, 0])
        #expect(Array(bytes[32..<48]) == (try BootIdentity.current()).bytes)
        #expect(bytes[4097] == 2 && bytes[4096 + 81_920 + 1] == 2)
        #expect(bytes.dropFirst(48).reduce(0) { $0 + Int($1) } == 4)
    }

    @Test func largeFilesHaveLargerBlocks() {
        let boot = BootIdentity(bytes: [UInt8](repeating: 0, count: 16))
        for (size, shift) in [(1, 12), (1 << 32 - 1, 12), (1 << 32, 13), (1 << 50, 31)] as [(UInt64, UInt8)] {
            let header = BlockMapHeader(nid: 1, originalSize: size, boot: boot)
            #expect(header.blockShift == shift)
            #expect(UInt64(header.blockCount) <= BlockMapHeader.mostBlocks)
            #expect(BlockMapHeader(header.encoded) == header)
        }
    }

    @Test func otherBlockSizesAreRead() throws {
        _ = try BlockMap(creating: file(), nid: 7, size: 4 << 20)
        var bytes = try file().descriptor.readAll(limit: 1 << 20)
        bytes[12] = 16
        #expect(BlockMapHeader(bytes)?.blockCount == 64)
        for shift in [11, 41, 255] as [UInt8] {
            bytes[12] = shift
            #expect(BlockMapHeader(bytes) == nil, "shift \(shift)")
        }
    }

    @Test func anotherBootKeepsWhatIsDurable() throws {
        var map = try BlockMap(creating: file(), nid: 7, size: 4 << 20)
        try map.setWritten(1..<3)
        try map.setDurable(map.written)
        try map.setWritten(5..<9)
        #expect(try BlockMap(loading: file(), readOnly: false).written.setCount == 6)
        let another = [UInt8](repeating: 0x5A, count: 16)
        try file().descriptor.writeAll(another.raw, at: 32)
        #expect(try BlockMap(loading: file(), readOnly: true).written.setCount == 2)
        #expect(try file().descriptor.readBytes(at: 32, count: 16) == another)
        for _ in 0..<2 {
            let loaded = try BlockMap(loading: file(), readOnly: false)
            #expect(loaded.written.setCount == 2 && loaded.written.contains(1) && loaded.written.contains(2))
        }
    }

    @Test func damagedHeadersAreRefused() throws {
        _ = try BlockMap(creating: file(), nid: 7, size: 4 << 20)
        let good = try file().descriptor.readAll(limit: 1 << 20)
        // Magic, version, block size, original size; what else is there is for who knows the file.
        for offset in Array(0..<16) + Array(27..<32) {
            var bad = good
            bad[offset] ^= 0xFF
            try file().descriptor.writeAll(bad.raw, at: 0)
            #expect(throws: Errno.badMessage, "byte \(offset)") {
                _ = try BlockMap(loading: file(), readOnly: false)
            }
        }
        try file().descriptor.writeAll(good.raw, at: 0)
        for size in [0, 10, 4096, good.count - 1, good.count + 1] {
            try file().descriptor.truncate(to: Int64(size))
            #expect(throws: Errno.badMessage) { _ = try BlockMap(loading: file(), readOnly: false) }
        }
    }

    @Test func mapsOfOtherFilesAreRefused() throws {
        let room = MapRoom(sandbox: SharedDescriptor(try directory.descriptor.duplicate()), readOnly: false)
        let (name, _) = try room.create(nid: 7, size: 4 << 20)
        #expect(try room.load(name, nid: 7, size: 4 << 20).header.nid == 7)
        #expect(throws: Errno.ioError) { _ = try room.load(name, nid: 8, size: 4 << 20) }
        #expect(throws: Errno.ioError) { _ = try room.load(name, nid: 7, size: 4 << 20 - 1) }
        #expect(throws: Errno.ioError) { _ = try room.load("0000000000000000", nid: 7, size: 4 << 20) }
    }

    @Test func damagedMarksAreRefused() {
        #expect(BlockMapMark(Array("0123456789abcdef 77".utf8))?.limit == 77)
        for text in [
            "", "0123456789abcdef", "0123456789abcdef ", "0123456789abcdef -1", "0123456789abcdeF 1",
            "../../../../etc 1", "0123456789abcdef 1 2", "0123456789abcdef 99999999999999999999999",
        ] {
            #expect(BlockMapMark(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
