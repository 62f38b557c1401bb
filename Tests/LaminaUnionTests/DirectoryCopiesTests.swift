// Directories that come into the sandbox for something beneath them: nobody notices that they did.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.serialized, .enabled(if: UnionFixture.isPossible)) struct DirectoryCopiesTests {
    /// Deeper than what one rename brings.
    private static let depth = 40

    private static func path(_ depth: Int) -> ByteString {
        var path: ByteString = ""
        for level in 1...depth { path = level == 1 ? "d1" : path.appending(ByteString("d\(level)")) }
        return path
    }

    private func fixture() throws -> UnionFixture {
        var entries: [FixtureEntry] = []
        for level in 1...Self.depth {
            let attributes = [ExtendedAttribute(name: "user.level", value: [UInt8(level)])]
            entries.append(
                .directory(
                    Self.path(level), level % 2 == 0 ? 0o2750 : 0o1777, uid: UInt32(level),
                    attributes: attributes))
        }
        entries.append(.file(Self.path(Self.depth).appending("f"), "text"))
        return try UnionFixture(entries)
    }

    /// What a directory is known by: change time and room are its filesystem's business, and links are not counted
    /// once it is in both halves (SEMANTICS).
    private struct State: Equatable {
        let inode: UInt64
        let mode: UInt32
        let owner: [UInt32]
        let mtime: Timestamp
    }

    private func states(_ fixture: UnionFixture) throws -> [State] {
        try (1...Self.depth).map { level in
            let status = try fixture.status(Self.path(level))
            return State(
                inode: status.inode, mode: status.mode, owner: [status.uid, status.gid], mtime: status.mtime)
        }
    }

    @Test func eachKeepsItsAttributesTimesAndNumber() throws {
        let fixture = try fixture()
        let before = try states(fixture)
        let file = Self.path(Self.depth).appending("f")
        try fixture.setMode(file, 0o600)
        for _ in 0..<2 {
            #expect(try states(fixture) == before)
            for level in [1, 12, 13, Self.depth] {
                #expect(try fixture.upper(Self.path(level)).status().type == .directory)
                #expect(
                    try fixture.union.extendedAttribute(of: fixture.id(Self.path(level)), "user.level")
                        == [UInt8(level)])
            }
            #expect(try fixture.status(file).mode & 0o777 == 0o600)
            try fixture.reopen()
        }
    }

    @Test func whatTheSandboxHasIsNotMadeAgain() throws {
        let fixture = try fixture()
        try fixture.setMode(Self.path(20), 0o700)
        let copied = try fixture.upper(Self.path(20)).status().inode
        try fixture.reopen()
        try fixture.setMode(Self.path(Self.depth).appending("f"), 0o600)
        #expect(try fixture.upper(Self.path(20)).status().inode == copied)
        #expect(try fixture.status(Self.path(20)).mode & 0o7777 == 0o700)
    }
}
