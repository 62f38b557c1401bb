// Changes of a lower file's metadata copy no byte of it.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct MetacopyTests {
    static let bytes = pattern(300_000)
    static let metacopy: ByteString = "trusted.overlay.metacopy"
    static let redirect: ByteString = "trusted.overlay.redirect"

    private func fixture() throws -> UnionFixture {
        try UnionFixture([
            .file("d/f", bytes: Self.bytes), .file("small", "text"), .file("empty", ""), .directory("e"),
        ])
    }

    /// Each change of metadata, by itself, and after it the same bytes from no block.
    @Test func copiesNoBytes() throws {
        let changes: [(UnionFixture) throws -> Void] = [
            { try $0.setMode("d/f", 0o600) },
            {
                try $0.change("d/f") {
                    $0.uid = 7
                    $0.gid = 8
                }
            },
            { try $0.change("d/f") { $0.mtime = .set(Timestamp(seconds: 9)) } },
            { try $0.union.setExtendedAttribute(of: $0.id("d/f"), "user.a", [1], flags: 0) },
            { _ = try $0.union.link($0.id("d/f"), to: "link", in: $0.id("e")) },
        ]
        for change in changes {
            let fixture = try fixture()
            let inode = try fixture.status("d/f").inode
            try change(fixture)
            for _ in 0..<2 {
                #expect(try fixture.upperSpace("d/f") < 8192)
                #expect(try fixture.mark(Self.metacopy, of: "d/f") == [])
                #expect(try fixture.read("d/f") == Self.bytes)
                let status = try fixture.status("d/f")
                #expect(status.inode == inode)
                #expect(status.size == Int64(Self.bytes.count))
                #expect(status.blocks * 512 >= status.size)
                try fixture.reopen()
            }
        }
    }

    @Test func renamesCarryARedirect() throws {
        let fixture = try fixture()
        try fixture.union.rename("f", in: fixture.id("d"), to: "g", in: fixture.id("e"), flags: 0)
        try fixture.union.rename("e", in: .root, to: "h", in: .root, flags: 0)
        for _ in 0..<2 {
            #expect(try fixture.read("h/g") == Self.bytes)
            #expect(try fixture.find("d/f") == nil)
            try fixture.reopen()
        }
        #expect(try fixture.mark(Self.redirect, of: "h/g") == Array("/d/f".utf8))
        #expect(try fixture.upperSpace("h/g") < 8192)
    }

    @Test func linksCarryARedirect() throws {
        let fixture = try fixture()
        _ = try fixture.union.link(fixture.id("d/f"), to: "link", in: fixture.id("e"))
        try fixture.union.removeFile("f", in: fixture.id("d"))
        try fixture.reopen()
        #expect(try fixture.read("e/link") == Self.bytes)
        #expect(try fixture.mark(Self.redirect, of: "e/link") == Array("/d/f".utf8))
    }

    @Test func writingTakesTheMarkAway() throws {
        let fixture = try fixture()
        try fixture.setMode("d/f", 0o600)
        let before = try fixture.status("d/f").mtime
        let reader = try fixture.open("d/f")
        let file = try fixture.open("d/f", O_RDWR)
        #expect(try fixture.status("d/f").mtime == before)
        try file.write([1, 2, 3].raw, at: 100)
        var expected = Self.bytes
        expected.replaceSubrange(100..<103, with: [1, 2, 3])
        #expect(try reader.bytes() == expected)
        // Not before the copy is durable.
        #expect(try fixture.mark(Self.metacopy, of: "d/f") == OverlayConvention.refusedMetacopy)
        try file.sync(dataOnly: true)
        #expect(try fixture.mark(Self.metacopy, of: "d/f") == nil)
        try fixture.reopen()
        #expect(try fixture.read("d/f") == expected)
        #expect(try fixture.status("d/f").mode & 0o777 == 0o600)
    }

    @Test func truncationsCopyOnlyWhatStays() throws {
        for size in [0, 1, 100_000, 300_000, 400_000] {
            for first in [false, true] {
                let fixture = try fixture()
                if first { try fixture.setMode("d/f", 0o600) }
                try fixture.change("d/f") { $0.size = UInt64(size) }
                let kept = min(size, Self.bytes.count)
                let expected = Array(Self.bytes[..<kept]) + [UInt8](repeating: 0, count: size - kept)
                let refused = kept > 0 ? OverlayConvention.refusedMetacopy : nil
                #expect(try fixture.mark(Self.metacopy, of: "d/f") == refused)
                for _ in 0..<2 {
                    #expect(try fixture.read("d/f") == expected)
                    try fixture.reopen()
                    #expect(try fixture.mark(Self.metacopy, of: "d/f") == nil)
                }
            }
        }
    }

    @Test func capabilitiesSurviveTheCopyOfBytes() throws {
        let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20] + [UInt8](repeating: 0, count: 14)
        let mark = ExtendedAttribute(name: "security.capability", value: capability)
        let fixture = try UnionFixture([.file("f", bytes: Self.bytes, 0o4755, attributes: [mark])])
        try fixture.change("f") { $0.mtime = .set(Timestamp(seconds: 9)) }
        _ = try fixture.open("f", O_RDWR)
        try fixture.union.settle()
        #expect(try fixture.mark(Self.metacopy, of: "f") == nil)
        #expect(try fixture.mark("security.capability", of: "f") == capability)
        #expect(try fixture.status("f").mode & 0o7777 == 0o4755)
        #expect(try fixture.status("f").mtime == Timestamp(seconds: 9))
    }

    @Test func emptyAndTruncatedFilesHaveNoMark() throws {
        let fixture = try fixture()
        try fixture.setMode("empty", 0o600)
        #expect(try fixture.mark(Self.metacopy, of: "empty") == nil)
        _ = try fixture.open("small", O_WRONLY | O_TRUNC)
        #expect(try fixture.mark(Self.metacopy, of: "small") == nil)
        try fixture.setMode("d/f", 0o600)
        _ = try fixture.open("d/f", O_WRONLY | O_TRUNC)
        #expect(try fixture.mark(Self.metacopy, of: "d/f") == nil)
        #expect(try fixture.read("d/f") == [])
    }

    @Test func aMarkWithoutALowerFileIsAnError() throws {
        let fixture = try fixture()
        let file = try Descriptor.open(
            fixture.sandbox.appending("upper/lost"), O_RDWR | O_CREAT, permissions: 0o600)
        let empty: [UInt8] = []
        try file.setExtendedAttribute(Self.metacopy, empty.raw)
        // The sandbox is nobody else's while it is mounted.
        try fixture.reopen()
        #expect(throws: Errno.ioError) { try fixture.find("lost") }
        let redirect = Array("/no/such".utf8)
        try file.setExtendedAttribute(Self.redirect, redirect.raw)
        #expect(throws: Errno.ioError) { try fixture.find("lost") }
        let found = Array("/d/f".utf8)
        try file.setExtendedAttribute(Self.redirect, found.raw)
        try file.truncate(to: 300_000)
        #expect(try fixture.read("lost") == Self.bytes)
    }
}
