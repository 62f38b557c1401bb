import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite struct AtomicBitsTests {
    @Test func setsAndTakesBackSingleBits() throws {
        let bits = try AtomicBits(count: 200)
        for place: UInt64 in [0, 1, 63, 64, 127, 200] {
            #expect(!bits.contains(place))
            bits.insert(place)
            #expect(bits.contains(place))
        }
        #expect(!bits.contains(2) && !bits.contains(65))
        bits.remove(63)
        #expect(!bits.contains(63) && bits.contains(1) && bits.contains(64))
    }

    @Test func placesBeyondTheEndAreNotThere() throws {
        let bits = try AtomicBits(count: 10)
        for place: UInt64 in [1 << 40, .max] {
            bits.insert(place)
            #expect(!bits.contains(place))
            bits.remove(place)
        }
    }
}

@Suite struct SandboxNamesTests {
    private func excludes(_ names: SandboxNames, _ name: ByteString, _ directory: NodeID) -> Bool {
        name.withSpan { names.exclude($0, in: directory) }
    }

    @Test func knowsNothingOfDirectoriesThatNobodyRead() throws {
        let names = try SandboxNames(nodes: 100)
        for directory in [NodeID.root, NodeID(rawValue: 99), NodeID(rawValue: 1 << 63 | 1)] {
            #expect(!excludes(names, "a", directory))
            names.know(directory)
            #expect(excludes(names, "a", directory))
            names.add("a", in: directory)
            #expect(!excludes(names, "a", directory))
            #expect(excludes(names, "b", directory))
            names.forget(directory)
            #expect(!excludes(names, "b", directory))
        }
        let far = NodeID(rawValue: 1 << 63 | 1 << 40)
        names.know(far)
        #expect(!excludes(names, "a", far))
    }

    /// A false "no" would hide a file.
    @Test func neverExcludesWhatWasAdded() throws {
        let names = try SandboxNames(nodes: 100)
        names.know(.root)
        for number in 0..<20_000 { names.add(ByteString("name\(number)"), in: .root) }
        #expect((0..<20_000).allSatisfy { !excludes(names, ByteString("name\($0)"), .root) })
        // "Perhaps" is the answer to few others.
        let others = (0..<20_000).filter { excludes(names, ByteString("other\($0)"), .root) }
        #expect(others.count > 19_500)
    }
}

/// Lookups in directories that both halves know, without asking the disk where the sandbox has nothing.
@Suite struct SandboxLookupTests {
    private static func fixture() throws -> UnionFixture {
        try UnionFixture([.file("d/low", "x"), .file("d/gone", "y"), .file("top", "z")])
    }

    private func isQuick(_ fixture: UnionFixture, _ name: ByteString, in directory: NodeID) throws -> Bool {
        let answer = try name.withSpan { (name) throws(Errno) in
            try fixture.union.layerLookup(name, in: directory)
        }
        if case .undecided = answer { return false }
        return true
    }

    @Test(arguments: [false, true]) func asksOnlyForNamesThatTheSandboxHas(_ reopened: Bool) throws {
        let fixture = try Self.fixture()
        let union = fixture.union
        let directory = try fixture.id("d")
        try union.removeFile("gone", in: directory)
        _ = try union.makeDirectory("new", in: directory, Creation(permissions: 0o755, uid: 0, gid: 0))
        if reopened { try fixture.reopen() }
        #expect(try fixture.find("d/gone") == nil)
        #expect(try fixture.status("d/low").size == 1)
        let new = try fixture.id("d/new")
        for name: ByteString in ["low", "missing"] { #expect(try isQuick(fixture, name, in: directory)) }
        for name: ByteString in ["gone", "new"] { #expect(try !isQuick(fixture, name, in: directory)) }
        #expect(try isQuick(fixture, "top", in: .root))
        #expect(try !isQuick(fixture, "d", in: .root))
        #expect(try isQuick(fixture, "anything", in: new))
        try fixture.union.removeDirectory("new", in: directory)
        #expect(try !isQuick(fixture, "anything", in: new))
        #expect(try fixture.find("d/new") == nil)
    }
}
