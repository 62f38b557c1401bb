// Which file may stand in for an open one, and the numbers of nodes that need a second one.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct BackingFileTests {
    private static let large = pattern(3 << 20)

    private func fixture(readOnly: Bool = true) throws -> UnionFixture {
        try UnionFixture(
            [.file("big", bytes: Self.large), .file("medium", bytes: pattern(100_000)), .file("small", "x")],
            objectsAreReadOnly: readOnly)
    }

    private func kind(_ fixture: UnionFixture, _ name: ByteString, _ flags: Int32) throws -> BackingFile.Kind?
    {
        try fixture.open(name, flags).backing(writes: flags != O_RDONLY)?.kind
    }

    @Test func objectsAreForReadersAlone() throws {
        let fixture = try fixture()
        let nid = try #require(fixture.id("big").nid)
        #expect(try kind(fixture, "big", O_RDONLY) == .lower(nid: nid))
        #expect(try fixture.open("big").backing(writes: true) == nil)
        #expect(try kind(fixture, "small", O_RDONLY) == nil)
        // A chmod moves no byte.
        try fixture.setMode("big", 0o600)
        #expect(try kind(fixture, "big", O_RDONLY) == .lower(nid: nid))
        // A block map's bytes are in two files.
        #expect(try kind(fixture, "big", O_RDWR) == nil)
        #expect(try kind(fixture, "big", O_RDONLY) == nil)
        #expect(try kind(fixture, "medium", O_RDWR) == .upper)
        #expect(try kind(fixture, "medium", O_RDONLY) == .upper)
        #expect(try kind(fixture, "small", O_WRONLY) == .upper)
        #expect(try kind(fixture, "big", O_WRONLY | O_TRUNC) == .upper)
    }

    @Test func withoutTheGuardNoObjectIsGivenAway() throws {
        let fixture = try fixture(readOnly: false)
        #expect(try kind(fixture, "big", O_RDONLY) == nil)
    }

    @Test func aCutCopyIsNotTheObject() throws {
        let fixture = try fixture()
        try fixture.change("big") { $0.size = 2 << 20 }
        #expect(try kind(fixture, "big", O_RDONLY) == nil)
        try fixture.change("big") { $0.size = UInt64(Self.large.count) }
        #expect(try kind(fixture, "big", O_RDONLY) == nil)
    }

    @Test func aSecondNumber() throws {
        let fixture = try fixture()
        let old = try fixture.id("big")
        let reader = try fixture.open("big")
        reader.use(try #require(try reader.backing(writes: false)))
        try fixture.union.renumber(old)
        let new = try fixture.id("big")
        #expect(new != old && new.nid == nil)
        #expect(try fixture.status("big").inode == old.rawValue)
        #expect(throws: Errno.staleNFSFileHandle) { _ = try fixture.union.open(old, flags: O_RDONLY) }
        #expect(throws: Errno.staleNFSFileHandle) { _ = try fixture.union.open(old, flags: O_RDWR) }
        // No object any more, though all bytes are still in it.
        #expect(try kind(fixture, "big", O_RDONLY) == nil)
        try fixture.open("big", O_RDWR).write([1, 2, 3].raw, at: 70_000)
        #expect(try reader.bytes(at: 70_000, count: 3) == Array(Self.large[70_000..<70_003]))
        #expect(try fixture.open("big").bytes(at: 70_000, count: 3) == [1, 2, 3])
        // Both numbers are one node, and nobody may remember what stat shows of it.
        var change = AttributeChange()
        change.permissions = 0o600
        #expect(try fixture.union.setAttributes(of: old, change).isFleeting)
        #expect(try fixture.union.status(of: new).mode & 0o777 == 0o600)
        #expect(try fixture.union.status(of: new).isFleeting)
        // There is no third.
        try fixture.union.renumber(old)
        try fixture.union.renumber(new)
        #expect(try fixture.id("big") == new)
        fixture.union.forget(old, count: 5)
        #expect(try !fixture.union.status(of: new).isFleeting)
        try fixture.reopen()
        #expect(try fixture.id("big") == old)
        #expect(try fixture.read("big").count == Self.large.count)
    }

    @Test func aRemovedNodeWaitsForBothItsNumbers() throws {
        let fixture = try fixture()
        let old = try fixture.id("big")
        try fixture.union.renumber(old)
        let new = try fixture.id("big")
        try fixture.union.removeFile("big", in: .root)
        fixture.union.forget(new, count: 99)
        #expect(try fixture.union.status(of: old).linkCount == 0)
        #expect(try fixture.union.status(of: old).size == Int64(Self.large.count))
        fixture.union.forget(old, count: 99)
        #expect(throws: Errno.staleNFSFileHandle) { _ = try fixture.union.status(of: new) }
    }

    @Test func mappedFilesAreFleetingUntilTheyAreForgotten() throws {
        let fixture = try fixture()
        _ = try fixture.open("small", O_RDWR)
        let id = try fixture.id("small")
        #expect(try fixture.union.noteMapping(of: id))
        #expect(try !fixture.union.noteMapping(of: id))
        #expect(try fixture.status("small").isFleeting)
        fixture.union.forget(id, count: 99)
        #expect(try !fixture.status("small").isFleeting)
    }
}
