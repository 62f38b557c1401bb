// Names that no kernel sends, at the edge of a redirect: each is refused before a system call sees it.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct RedirectNameTests {
    private let fixture: UnionFixture
    private let host: TemporaryDirectory
    private let data: NodeID

    init() throws {
        fixture = try UnionFixture([.directory("data"), .directory("other")])
        host = try TemporaryDirectory()
        try host.descriptor.makeDirectories("src/dir")
        for name: ByteString in ["secret", "src/file"] {
            try host.descriptor.open(name, O_WRONLY | O_CREAT, permissions: 0o644).writeAll([7])
        }
        let source = host.path.appending("src")
        try fixture.union.attach(
            [PlacedRedirect(Redirect(.bind, source: source, target: "/data"), place: source)],
            store: fixture.store.path)
        data = try fixture.id("data")
    }

    private static let names: [ByteString] = ["..", ".", "../secret", "dir/../../secret", "/etc", "dir/", ""]

    @Test func noOperationTakesThem() throws {
        let union = fixture.union
        let creation = Creation(permissions: 0o755, uid: 0, gid: 0)
        let file = try fixture.id("data/file")
        for name in Self.names {
            #expect(throws: Errno.self) { _ = try name.withSpan { try union.lookup($0, in: data) } }
            #expect(throws: Errno.self) { _ = try union.makeDirectory(name + "x/..", in: data, creation) }
            #expect(throws: Errno.self) { _ = try union.makeDirectory(name, in: data, creation) }
            #expect(throws: Errno.self) {
                _ = try union.makeNode(name, in: data, type: .fifo, device: .zero, creation)
            }
            #expect(throws: Errno.self) {
                _ = try union.createFile(name, in: data, creation, flags: O_RDWR)
            }
            #expect(throws: Errno.self) { _ = try union.makeSymlink(name, in: data, target: "x", creation) }
            #expect(throws: Errno.self) { _ = try union.link(file, to: name, in: data) }
            #expect(throws: Errno.self) { try union.removeFile(name, in: data) }
            #expect(throws: Errno.self) { try union.removeDirectory(name, in: data) }
            #expect(throws: Errno.self) { try union.rename("file", in: data, to: name, in: data, flags: 0) }
            #expect(throws: Errno.self) { try union.rename(name, in: data, to: "moved", in: data, flags: 0) }
        }
        let left = try host.descriptor.openDirectory(".").entries().map(\.name).sorted()
        #expect(left == ["secret", "src"])
        #expect(try host.descriptor.openDirectory("src").entries().map(\.name).sorted() == ["dir", "file"])
    }

    /// A number that was never given, and one that was forgotten.
    @Test func numbersOfNobodyAreStale() throws {
        let union = fixture.union
        let file = try fixture.id("data/file")
        union.forget(file, count: 1)
        for id in [file, NodeID(rawValue: 1 << 62), NodeID(rawValue: 1 << 62 | 999)] {
            #expect(throws: Errno.staleNFSFileHandle) { _ = try union.status(of: id) }
            #expect(throws: Errno.staleNFSFileHandle) { _ = try union.open(id, flags: O_RDONLY) }
            union.forget(id, count: 1)
        }
        #expect(try fixture.id("data/file") != file)
    }

    @Test func forgottenNodesGo() throws {
        let before = fixture.union.redirects.table.count
        for _ in 0..<3 { _ = try fixture.id("data/dir") }
        #expect(fixture.union.redirects.table.count == before + 1)
        let id = try fixture.id("data/dir")
        fixture.union.forget(id, count: 3)
        #expect(fixture.union.redirects.table.count == before + 1)
        fixture.union.forget(id, count: 1)
        #expect(fixture.union.redirects.table.count == before)
    }
}
