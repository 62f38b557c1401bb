// A copy whose bytes were never synced: a power cut brings the layer's back, the end of the process
// nothing.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct FreshCopyTests {
    static let metacopy: ByteString = "trusted.overlay.metacopy"
    static let map: ByteString = "trusted.lamina.blockmap"
    static let fresh: ByteString = "trusted.lamina.fresh"
    static let names: [ByteString] = ["small", "d/medium", "big"]

    static let bytes: [ByteString: [UInt8]] = [
        "small": Array("a few bytes".utf8), "d/medium": pattern(300_000), "big": pattern(3 << 20 + 77),
    ]

    private func fixture() throws -> UnionFixture {
        try UnionFixture(
            [.directory("d"), .directory("e")] + Self.names.map { .file($0, bytes: Self.bytes[$0] ?? []) })
    }

    private func old(_ name: ByteString) throws -> [UInt8] { try #require(Self.bytes[name]) }

    private func new(_ name: ByteString) throws -> [UInt8] {
        var bytes = try old(name)
        bytes[5] = 0xAB
        return bytes
    }

    /// Writes a byte.
    @discardableResult
    private func touch(_ name: ByteString, _ fixture: UnionFixture, _ flags: Int32 = 0) throws -> OpenFile {
        let file = try fixture.open(name, O_RDWR | flags)
        try file.write([0xAB].raw, at: 5)
        return file
    }

    private func marks(of name: ByteString, _ fixture: UnionFixture) throws -> [ByteString] {
        try [Self.metacopy, Self.map, Self.fresh].filter { try fixture.mark($0, of: name) != nil }
    }

    @Test(arguments: names, [false, true]) func aPowerCutBringsTheLayerBack(
        _ name: ByteString, attributesFirst: Bool
    ) throws {
        let fixture = try fixture()
        if attributesFirst { try fixture.setMode(name, 0o4751) }
        try touch(name, fixture)
        if !attributesFirst { try fixture.setMode(name, 0o4751) }
        let before = try fixture.status(name)
        #expect(try fixture.mark(Self.metacopy, of: name) == OverlayConvention.refusedMetacopy)
        #expect(try fixture.mark(Self.fresh, of: name) == BootIdentity.current().bytes)
        try fixture.powerCut()
        for _ in 0..<2 {
            // The first answer too, which the kernel remembers.
            let status = try fixture.status(name)
            #expect(status.size == before.size && status.mtime == before.mtime)
            #expect(try fixture.read(name) == old(name))
            #expect(status.mode == before.mode && status.inode == before.inode)
            #expect(try marks(of: name, fixture) == [Self.metacopy])
            #expect(try fixture.mark(Self.metacopy, of: name) == [])
            #expect(fixture.maps.isEmpty)
            #expect(fixture.unsettled == 0)
            try fixture.reopen()
        }
        try touch(name, fixture)
        #expect(try fixture.read(name) == new(name))
        try fixture.reopen()
        try fixture.powerCut()
        #expect(try fixture.read(name) == new(name))
    }

    @Test(arguments: names, [false, true]) func aSyncKeepsWhatWasWritten(
        _ name: ByteString, dataOnly: Bool
    ) throws {
        let fixture = try fixture()
        let file = try touch(name, fixture)
        #expect(fixture.unsettled == 1)
        try file.sync(dataOnly: dataOnly)
        #expect(fixture.unsettled == 0)
        #expect(try fixture.mark(Self.fresh, of: name) == nil)
        try fixture.powerCut()
        #expect(try fixture.read(name) == new(name))
    }

    /// The sync may come by another open file, and by one from before the copy.
    @Test(arguments: names) func anyOpenFileSettles(_ name: ByteString) throws {
        let fixture = try fixture()
        let reader = try fixture.open(name)
        try touch(name, fixture)
        try reader.sync(dataOnly: true)
        try fixture.powerCut()
        #expect(try fixture.read(name) == new(name))
        try touch("small", fixture)
        try fixture.open("small").sync(dataOnly: false)
        #expect(fixture.unsettled == 0)
    }

    @Test(arguments: names, [O_SYNC, O_DSYNC]) func synchronousOpensSettle(
        _ name: ByteString, flag: Int32
    ) throws {
        let fixture = try fixture()
        let file = try fixture.open(name, O_RDWR | flag)
        #expect(fixture.unsettled == 0)
        #expect(try fixture.mark(Self.fresh, of: name) == nil)
        try file.write([0xAB].raw, at: 5)
        // As the kernel does for each write of such a file that goes by the server.
        try file.sync(dataOnly: true)
        try fixture.powerCut()
        #expect(try fixture.read(name) == new(name))
    }

    @Test func theEndOfTheProcessLosesNothing() throws {
        let fixture = try fixture()
        for name in Self.names { try touch(name, fixture) }
        try fixture.reopen(cleanly: false)
        for name in Self.names { #expect(try fixture.read(name) == new(name)) }
        #expect(fixture.unsettled == 3)
        try fixture.union.settle()
        #expect(fixture.unsettled == 0)
        for name in Self.names {
            #expect(try marks(of: name, fixture) == (name == "big" ? [Self.metacopy, Self.map] : []))
        }
        try fixture.powerCut()
        for name in Self.names { #expect(try fixture.read(name) == new(name)) }
    }

    /// Also when nobody looks the files up before that end.
    @Test(arguments: [false, true]) func aCleanEndSettlesWhatAKilledServerLeft(periodically: Bool) throws {
        let fixture = try fixture()
        for name in Self.names { try touch(name, fixture) }
        try fixture.reopen(cleanly: false)
        #expect(fixture.unsettled == 0)
        if periodically { try fixture.union.settle() } else { try fixture.reopen() }
        for name in Self.names { #expect(try fixture.mark(Self.fresh, of: name) == nil) }
        try fixture.powerCut()
        for name in Self.names { #expect(try fixture.read(name) == new(name)) }
        try fixture.reopen()
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try FileStatus.of(fixture.sandbox.appending("unsettled"))
        }
    }

    @Test func aCleanEndSettles() throws {
        let fixture = try fixture()
        for name in Self.names { try touch(name, fixture) }
        try fixture.reopen()
        try fixture.powerCut()
        for name in Self.names { #expect(try fixture.read(name) == new(name)) }
    }

    @Test func timeSettles() throws {
        let fixture = try fixture()
        for name in Self.names { try touch(name, fixture) }
        let flush = try PeriodicFlush(fixture.union, settlingEvery: 10)
        var tries = 0
        while fixture.unsettled > 0, tries < 3000 {
            usleep(10_000)
            tries += 1
        }
        withExtendedLifetime(flush) {}
        try fixture.powerCut()
        for name in Self.names { #expect(try fixture.read(name) == new(name)) }
    }

    @Test func truncationsAreTakenBackToo() throws {
        for (name, size) in [("d/medium", 100_000), ("big", 100_000), ("big", 2 << 20)] {
            let name = ByteString(name)
            for attributesFirst in [false, true] {
                let fixture = try fixture()
                if attributesFirst { try fixture.setMode(name, 0o600) }
                try fixture.change(name) { $0.size = UInt64(size) }
                try fixture.powerCut()
                #expect(try fixture.read(name) == old(name))
                try fixture.change(name) { $0.size = UInt64(size) }
                try fixture.open(name, O_RDWR).sync(dataOnly: true)
                try fixture.powerCut()
                #expect(try fixture.read(name) == Array(old(name)[..<size]))
            }
        }
    }

    /// Nothing was copied, so that there is nothing to take back.
    @Test(arguments: names) func replacedBytesNeedNoMark(_ name: ByteString) throws {
        let fixture = try fixture()
        try fixture.open(name, O_WRONLY | O_TRUNC).write([1, 2].raw, at: 0)
        #expect(try marks(of: name, fixture).isEmpty)
        try fixture.startAfresh()
        try touch(name, fixture)
        try fixture.open(name, O_WRONLY | O_TRUNC).write([1, 2].raw, at: 0)
        try fixture.reopen(cleanly: false)
        #expect(try fixture.read(name) == [1, 2])
    }

    @Test(arguments: names) func namesDoNotMatter(_ name: ByteString) throws {
        let fixture = try fixture()
        try touch(name, fixture)
        let parent = name == "d/medium" ? try fixture.id("d") : .root
        _ = try fixture.union.link(fixture.id(name), to: "linked", in: fixture.id("e"))
        let last = try #require(name.components.last)
        try fixture.union.rename(last, in: parent, to: "renamed", in: fixture.id("e"), flags: 0)
        try fixture.powerCut()
        #expect(try fixture.find(name) == nil)
        #expect(try fixture.read("e/linked") == old(name))
        #expect(try fixture.read("e/renamed") == old(name))
        #expect(try fixture.id("e/linked") == fixture.id("e/renamed"))
        let redirect = try #require(try fixture.mark("trusted.overlay.redirect", of: "e/linked"))
        #expect(ByteString(redirect) == ByteString("/").appending(name))
    }

    @Test func removedFilesLeaveTheSet() throws {
        let fixture = try fixture()
        for name: ByteString in ["small", "big"] {
            let id = try fixture.id(name)
            do { try touch(name, fixture) }
            try fixture.union.removeFile(name, in: .root)
            fixture.union.forget(id, count: 100)
            #expect(fixture.unsettled == 0)
        }
        #expect(fixture.maps.isEmpty)
        // Open, and without a name.
        let file = try touch("d/medium", fixture)
        try fixture.union.removeFile("medium", in: fixture.id("d"))
        try file.sync(dataOnly: false)
        #expect(try file.bytes() == new("d/medium"))
        try fixture.union.settle()
        #expect(fixture.unsettled == 0)
    }

    @Test func theSetIsBounded() throws {
        let count = UnsettledFiles.limit + 40
        let fixture = try UnionFixture((0..<count).map { .file(ByteString("f\($0)"), "text") })
        for number in 0..<count {
            try fixture.open(ByteString("f\(number)"), O_RDWR).write([0x54].raw, at: 0)
            try #require(fixture.unsettled <= UnsettledFiles.limit)
        }
        #expect(try fixture.mark(Self.metacopy, of: "f0") == nil)
        #expect(try fixture.mark(Self.metacopy, of: ByteString("f\(count - 1)")) != nil)
        // What a crash left is taken up within the same bound.
        try fixture.reopen(cleanly: false)
        for number in 0..<count { #expect(try fixture.read(ByteString("f\(number)")) == Array("Text".utf8)) }
        try fixture.powerCut()
        #expect(try fixture.read("f0") == Array("Text".utf8))
        #expect(try fixture.read(ByteString("f\(count - 1)")) == Array("text".utf8))
    }

    @Test(arguments: names) func readOnlyUnionsChangeNothing(_ name: ByteString) throws {
        let fixture = try fixture()
        try touch(name, fixture)
        fixture.options.isReadOnly = true
        try fixture.reopen(cleanly: false)
        #expect(try fixture.read(name) == new(name))
        let before = try marks(of: name, fixture)
        try fixture.reopen()
        #expect(try marks(of: name, fixture) == before)
        try fixture.powerCut()
        #expect(throws: Errno.ioError) { try fixture.find(name) }
        fixture.options.isReadOnly = false
        try fixture.reopen()
        #expect(try fixture.read(name) == old(name))
    }

    @Test(arguments: names) func volatileMountsNeedNoMark(_ name: ByteString) throws {
        let fixture = try fixture()
        fixture.options.isVolatile = true
        for attributesFirst in [false, true] {
            try fixture.startAfresh()
            if attributesFirst { try fixture.setMode(name, 0o600) }
            try touch(name, fixture)
            #expect(try fixture.mark(Self.fresh, of: name) == nil)
            #expect(fixture.unsettled == 0)
            try fixture.reopen()
            #expect(try fixture.read(name) == new(name))
        }
    }

    @Test func materializingLeavesNoMark() throws {
        let fixture = try fixture()
        for name in Self.names { try touch(name, fixture) }
        try fixture.reopen(cleanly: false)
        #expect(try fixture.union.materialize(metacopies: true).files == 1)
        for name in Self.names {
            #expect(try marks(of: name, fixture).isEmpty)
            #expect(try fixture.upper(name).readAll(limit: 8 << 20) == new(name))
        }
        #expect(fixture.unsettled == 0)
    }
}
