// Files found by node alone: few stay open, all stay readable.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct NodeFilesTests {
    private static let large = pattern(100_000)

    private func fixture(_ count: Int) throws -> UnionFixture {
        try UnionFixture(
            (0..<count).map { .file(ByteString("f\($0)"), bytes: Self.large + [UInt8($0 & 0xFF)]) })
    }

    private func openDescriptors() throws -> Int {
        try Descriptor.open("/proc/self/fd", O_RDONLY | O_DIRECTORY).entries().count
    }

    private func first(_ file: OpenFile) throws -> [UInt8] { Array(try file.bytes().prefix(3)) }

    @Test func boundsWhatIsOpen() throws {
        let fixture = try fixture(1000)
        let before = try openDescriptors()
        for index in 0..<1000 {
            let id = try fixture.id(ByteString("f\(index)"))
            let bytes = try fixture.union.file(of: id, writing: false).bytes()
            #expect(bytes.last == UInt8(index & 0xFF))
        }
        // Other tests open files beside this one.
        #expect(try openDescriptors() - before < 700)
    }

    @Test func aReadersFileFollowsTheCopy() throws {
        let fixture = try fixture(1)
        let id = try fixture.id("f0")
        let reader = try fixture.union.file(of: id, writing: false)
        try fixture.union.file(of: id, writing: true).write([1, 2, 3].raw, at: 0)
        #expect(try first(reader) == [1, 2, 3])
        #expect(try first(fixture.union.file(of: id, writing: false)) == [1, 2, 3])
    }

    @Test func whatIsForgottenIsClosed() throws {
        let fixture = try fixture(1)
        let id = try fixture.id("f0")
        weak var file: OpenFile?
        do {
            let writer = try fixture.union.file(of: id, writing: true)
            try writer.write([1].raw, at: 0)
            file = writer
        }
        #expect(file != nil)
        try fixture.union.removeFile("f0", in: .root)
        #expect(try first(fixture.union.file(of: id, writing: false)).first == 1)
        fixture.union.forget(id, count: 100)
        #expect(file == nil)
    }

    @Test func filesOfStreamsNeedNoPlace() throws {
        let fixture = try UnionFixture([.file("small", "text")])
        let id = try fixture.id("small")
        let one = try fixture.union.file(of: id, writing: false)
        #expect(one !== (try fixture.union.file(of: id, writing: false)))
        #expect(try one.bytes() == Array("text".utf8))
    }
}
