// More nodes beneath redirects than descriptors.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct HostTableTests {
    private static let files = 300
    private static let wanted = 40

    private func attached(_ host: TemporaryDirectory) throws -> UnionFixture {
        try host.descriptor.makeDirectories("src/dir")
        for number in 0..<Self.files {
            try host.descriptor.open(ByteString("src/dir/\(number)"), O_WRONLY | O_CREAT, permissions: 0o644)
                .writeAll(Array("\(number)".utf8))
        }
        let fixture = try UnionFixture([.directory("data")])
        fixture.options.redirectDescriptors = Self.wanted
        try fixture.startAfresh()
        let source = host.path.appending("src")
        try fixture.union.attach(
            [PlacedRedirect(Redirect(.bind, source: source, target: "/data"), place: source)],
            store: fixture.store.path)
        return fixture
    }

    @Test func nodesOutliveTheirDescriptors() throws {
        let host = try TemporaryDirectory()
        let fixture = try attached(host)
        let table = fixture.union.redirects.table
        let ids = try (0..<Self.files).map { try fixture.id(ByteString("data/dir/\($0)")) }
        #expect(Set(ids).count == Self.files && table.count >= Self.files)
        #expect(table.openCount <= Self.wanted + 2)
        // Renamed on the host, they are the same nodes.
        try host.descriptor.rename("src/dir", to: host.descriptor, "src/moved")
        for (number, id) in ids.enumerated() {
            let text = try fixture.union.open(id, flags: O_RDONLY).bytes(count: 16)
            #expect(text == Array("\(number)".utf8))
            #expect(try fixture.id(ByteString("data/moved/\(number)")) == id)
        }
        #expect(table.openCount <= Self.wanted + 2)
        for id in ids { fixture.union.forget(id, count: 2) }
        #expect(table.count < 10 && table.openCount < 10)
    }

    /// A file that takes the number of one that went is another node.
    @Test func numbersThatComeBackAreOthersNodes() throws {
        let host = try TemporaryDirectory()
        let fixture = try attached(host)
        let ids = try (0..<Self.files).map { try fixture.id(ByteString("data/dir/\($0)")) }
        let directory = try host.descriptor.openDirectory("src/dir")
        for number in 0..<Self.files { try directory.removeFile(ByteString("\(number)")) }
        for number in 0..<Self.files {
            try directory.open(ByteString("new\(number)"), O_WRONLY | O_CREAT, permissions: 0o600)
                .writeAll([1])
        }
        let new = try (0..<Self.files).map { try fixture.id(ByteString("data/dir/new\($0)")) }
        #expect(Set(new).isDisjoint(with: ids))
        for id in ids {
            let size = try? fixture.union.status(of: id).size
            #expect(size != 1, "an old number shows a new file")
        }
    }

    @Test func usedOnesStayOpen() throws {
        let host = try TemporaryDirectory()
        let fixture = try attached(host)
        let first = try fixture.id("data/dir/0")
        let node = try fixture.union.redirects.table.node(first)
        for number in 1..<Self.files {
            _ = try fixture.id(ByteString("data/dir/\(number)"))
            _ = try fixture.union.status(of: first)
        }
        #expect(node.isOpen)
        // Not a matter of luck: nobody used the second one.
        let second = try fixture.union.redirects.table.node(fixture.id("data/dir/1"))
        #expect(second.isOpen)
    }
}
