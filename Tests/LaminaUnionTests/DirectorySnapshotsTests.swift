// Snapshots of directories: bounded in number, and positions that outlive them.

import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct DirectorySnapshotsTests {
    private func fixture() throws -> UnionFixture {
        let fixture = try UnionFixture((0..<20).map { .file(ByteString("d/low\($0)"), "x") })
        _ = try fixture.union.makeDirectory(
            "sub", in: fixture.id("d"), .init(permissions: 0o755, uid: 0, gid: 0, umask: 0))
        return fixture
    }

    private func read(
        _ union: Union, _ id: NodeID, from cookie: UInt64, count: Int = .max
    ) throws -> (names: [ByteString], next: UInt64) {
        var names: [ByteString] = []
        var place = cookie
        try union.forEachEntry(of: id, from: cookie) { name, _, _, next in
            guard names.count < count else { return false }
            names.append(ByteString(name))
            place = next
            return true
        }
        return (names, place)
    }

    @Test func positionsComeBack() throws {
        for (number, index) in [(1, 0), (0x3FFF_FFFF, 7), (5, 0xFFFF_FFFF)] as [(UInt32, Int)] {
            var position = SnapshotPosition(number)
            position.index = index
            let again = try #require(SnapshotPosition(cookie: position.cookie))
            #expect(again.number == number && again.index == index)
            #expect(Int64(bitPattern: position.cookie) > 0)
        }
        #expect(SnapshotPosition(cookie: 1 << 40) == nil)
    }

    @Test func aReadingGoesOnInItsSnapshot() throws {
        let fixture = try fixture()
        let id = try fixture.id("d")
        let all = try read(fixture.union, id, from: 0).names
        #expect(all.count == 23)
        let start = try read(fixture.union, id, from: 0, count: 10)
        try fixture.union.removeFile("low3", in: id)
        try fixture.union.removeFile("low12", in: id)
        let rest = try read(fixture.union, id, from: start.next)
        #expect(start.names + rest.names == all)
        #expect(try read(fixture.union, id, from: rest.next).names.isEmpty)
        #expect(try read(fixture.union, id, from: 0).names.count == 21)
    }

    /// A reader that slept while many others read goes on where it was, as near as can be.
    @Test func aReadingOutlivesItsSnapshot() throws {
        let fixture = try fixture()
        let id = try fixture.id("d")
        let all = try read(fixture.union, id, from: 0).names
        let start = try read(fixture.union, id, from: 0, count: 10)
        for _ in 0..<1_100 { _ = try read(fixture.union, id, from: 0, count: 5) }
        #expect(try start.names + read(fixture.union, id, from: start.next).names == all)
    }

    @Test func aReadingOfTheLayersGoesOnWhenTheSandboxChangesThem() throws {
        let fixture = try UnionFixture((0..<20).map { .file(ByteString("d/low\($0)"), "x") })
        let id = try fixture.id("d")
        let start = try read(fixture.union, id, from: 0, count: 10)
        try fixture.union.removeFile(start.names[4], in: id)
        let rest = try read(fixture.union, id, from: start.next)
        #expect(Set(start.names + rest.names).count == 22)
        #expect(try read(fixture.union, id, from: 0).names.count == 21)
    }

    @Test func strangePositionsAreHarmless() throws {
        let fixture = try fixture()
        let id = try fixture.id("d")
        for cookie: UInt64 in [1 << 62, 1 << 62 | 0xFFFF_FFFF, .max >> 1, 1 << 61, 5, 1 << 62 | 1 << 40 | 3] {
            _ = try read(fixture.union, id, from: cookie)
        }
    }
}
