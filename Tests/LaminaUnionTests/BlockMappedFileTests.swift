// Large lower files that are written block by block.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct BlockMappedFileTests {
    static let size = 3 << 20 + 12_345
    static let bytes = pattern(size)
    static let map: ByteString = "trusted.lamina.blockmap"

    private func fixture() throws -> UnionFixture {
        try UnionFixture([.file("big", bytes: Self.bytes), .file("other", bytes: pattern(200_000, seed: 7))])
    }

    @Test func oneByteMovesOneBlock() throws {
        let fixture = try UnionFixture([.sparse("huge", 10 << 30, bytes: Self.bytes)])
        try fixture.open("huge", O_RDWR).write([0xAB].raw, at: 5 << 30 + 77)
        for _ in 0..<2 {
            #expect(try fixture.upperSpace("huge") <= 64 << 10)
            #expect(try fixture.status("huge").size == 10 << 30)
            let file = try fixture.open("huge")
            #expect(try file.bytes(count: Self.size) == Self.bytes)
            #expect(try file.bytes(at: 5 << 30 + 76, count: 3) == [0, 0xAB, 0])
            #expect(try file.seek(to: 4 << 30, whence: SeekFlag.data) == 5 << 30)
            #expect(try file.seek(to: 5 << 30, whence: SeekFlag.hole) == 5 << 30 + 16_384)
            try fixture.reopen()
        }
    }

    @Test func openingAloneChangesNothing() throws {
        let fixture = try fixture()
        let before = try fixture.status("big")
        _ = try fixture.open("big", O_RDWR)
        #expect(try fixture.upperSpace("big") < 8192)
        #expect(try fixture.status("big").mtime == before.mtime)
        #expect(try fixture.read("big") == Self.bytes)
        #expect(fixture.maps.count == 1)
    }

    @Test func overlayfsIsToldToRefuse() throws {
        let fixture = try fixture()
        _ = try fixture.open("big", O_RDWR)
        #expect(try fixture.mark("trusted.overlay.metacopy", of: "big") == [UInt8(ascii: "L")])
    }

    @Test func aFullFileNeedsNoMap() throws {
        let fixture = try fixture()
        let new = pattern(Self.size, seed: 5)
        let file = try fixture.open("big", O_RDWR)
        for start in stride(from: 0, to: Self.size, by: 100_000) {
            let part = Array(new[start..<min(start + 100_000, Self.size)])
            try file.write(part.raw, at: UInt64(start))
        }
        #expect(try fixture.mark(Self.map, of: "big") == nil)
        #expect(try fixture.mark("trusted.overlay.metacopy", of: "big") == nil)
        #expect(fixture.maps.isEmpty)
        try fixture.reopen()
        #expect(try fixture.read("big") == new)
    }

    /// What was cut off is zeros when the file grows again, however it grows.
    @Test func cutBytesNeverComeBack() throws {
        for cut in [1_500_000, 2 << 20, 1] {
            let fixture = try fixture()
            let file = try fixture.open("big", O_RDWR)
            try file.write([1].raw, at: 1_400_000)
            try fixture.change("big") { $0.size = UInt64(cut) }
            try fixture.reopen(cleanly: cut != 1)
            try fixture.open("big", O_RDWR).write([2].raw, at: 3_000_000)
            var expected = Self.bytes
            expected[1_400_000] = 1
            expected.replaceSubrange(cut..., with: [UInt8](repeating: 0, count: 3_000_001 - cut))
            expected[3_000_000] = 2
            for _ in 0..<2 {
                #expect(try fixture.read("big") == expected)
                try fixture.reopen()
            }
        }
    }

    /// The end of the process between the truncation and its mark.
    @Test func aCutWithoutItsMarkIsFinished() throws {
        let fixture = try fixture()
        _ = try fixture.open("big", O_RDWR)
        try Descriptor.open(fixture.sandbox.appending("upper/big"), O_RDWR).truncate(to: 2_000_000)
        try fixture.reopen(cleanly: false)
        try fixture.open("big", O_RDWR).write([2].raw, at: 2_500_000)
        try fixture.reopen()
        let expected = Array(Self.bytes[..<2_000_000]) + [UInt8](repeating: 0, count: 500_000) + [2]
        #expect(try fixture.read("big") == expected)
    }

    @Test func whatWasSyncedSurvivesAPowerCut() throws {
        let fixture = try fixture()
        let file = try fixture.open("big", O_RDWR)
        try file.write([1].raw, at: 100)
        try file.sync(dataOnly: true)
        try file.write([2].raw, at: 1_000_000)
        try fixture.reopen(cleanly: false)
        #expect(try fixture.read("big")[1_000_000] == 2)
        try fixture.powerCut()
        var expected = Self.bytes
        expected[100] = 1
        #expect(try fixture.read("big") == expected)
        try fixture.open("big", O_RDWR).write([3].raw, at: 2_000_000)
        try fixture.reopen(cleanly: true)
        try fixture.powerCut()
        expected[2_000_000] = 3
        #expect(try fixture.read("big") == expected)
    }

    /// What was never synced is flushed in time, as the kernel does with its pages.
    @Test func oldWritesSurviveAPowerCut() throws {
        let fixture = try fixture()
        let file = try fixture.open("big", O_RDWR)
        try file.write([1].raw, at: 100)
        do {
            let flush = try PeriodicFlush(fixture.union, every: 10)
            let map = try #require(fixture.maps.first)
            var tries = 0
            while try !hasDurableBlock(map, fixture) || fixture.unsettled > 0, tries < 3000 {
                usleep(10_000)
                tries += 1
            }
            withExtendedLifetime(flush) {}
        }
        try file.write([2].raw, at: 1_000_000)
        try fixture.powerCut()
        var expected = Self.bytes
        expected[100] = 1
        #expect(try fixture.read("big") == expected)
    }

    /// Whether a map says that its file's first block is durable (docs/FORMAT-sandbox.md).
    private func hasDurableBlock(_ map: ByteString, _ fixture: UnionFixture) throws -> Bool {
        let file = try Descriptor.open(fixture.sandbox.appending("maps").appending(map), O_RDONLY)
        let bytes = try file.readAll(limit: 1 << 20)
        let durable = 4096 + (bytes.count - 4096) / 2
        return bytes.count > durable && bytes[durable] & 1 == 1
    }

    @Test func aDamagedMapIsAnError() throws {
        let fixture = try fixture()
        try fixture.open("big", O_RDWR).write([1].raw, at: 100)
        try fixture.reopen()
        let name = try #require(fixture.maps.first)
        let path = fixture.sandbox.appending("maps").appending(name)
        try Descriptor.open(path, O_RDWR).writeAll([0].raw, at: 0)
        try fixture.reopen()
        #expect(throws: Errno.ioError) { try fixture.read("big") }
        #expect(throws: Errno.ioError) { try fixture.open("big", O_RDWR).write([1].raw, at: 5) }
        // Metadata, and giving all bytes up, need no map.
        try fixture.setMode("big", 0o600)
        _ = try fixture.open("big", O_WRONLY | O_TRUNC)
        #expect(try fixture.read("big") == [])
    }

    @Test func removedFilesLeaveNoMap() throws {
        let fixture = try fixture()
        let file = try fixture.open("big", O_RDWR)
        try file.write([1].raw, at: 100)
        let id = try fixture.id("big")
        try fixture.union.removeFile("big", in: .root)
        try file.write([2].raw, at: 1_000_000)
        #expect(try file.bytes()[1_000_000] == 2)
        #expect(try fixture.union.open(id, flags: O_RDONLY).bytes()[100] == 1)
        fixture.union.forget(id, count: 100)
        #expect(fixture.maps.isEmpty)
    }

    @Test func collapsingFillsFirst() throws {
        let fixture = try fixture()
        let file = try fixture.open("big", O_RDWR)
        try file.write([1].raw, at: 100)
        // FALLOC_FL_COLLAPSE_RANGE; only some filesystems have it.
        let collapsed = (try? file.allocate(mode: 8, offset: 65_536, length: 65_536)) != nil
        var expected = Self.bytes
        expected[100] = 1
        if collapsed { expected.removeSubrange(65_536..<131_072) }
        #expect(try fixture.read("big") == expected)
        #expect(fixture.maps.isEmpty)
    }

    /// Two threads write to different parts of the same blocks.
    @Test func writersOfOneBlockLoseNothing() async throws {
        let fixture = try fixture()
        let file = try fixture.open("big", O_RDWR)
        await withTaskGroup(of: Void.self) { group in
            for part in 0..<4 {
                group.addTask {
                    for block in 0..<40 {
                        let bytes = [UInt8](repeating: UInt8(part + 1), count: 100)
                        try? file.write(bytes.raw, at: UInt64(block * 65_536 + part * 100))
                    }
                }
            }
        }
        var expected = Self.bytes
        for block in 0..<40 {
            for part in 0..<4 {
                let start = block * 65_536 + part * 100
                expected.replaceSubrange(
                    start..<start + 100, with: [UInt8](repeating: UInt8(part + 1), count: 100))
            }
        }
        #expect(try fixture.read("big") == expected)
    }
}
