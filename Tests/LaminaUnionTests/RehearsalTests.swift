// What a union does before its first change leaves nothing behind, whatever goes wrong.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.serialized, .enabled(if: UnionFixture.isPossible)) struct RehearsalTests {
    private func names(in fixture: UnionFixture, _ room: ByteString) throws -> [ByteString] {
        try Descriptor.open(fixture.sandbox.appending(room), O_RDONLY | O_DIRECTORY).entries().map(\.name)
    }

    @Test func leavesNothing() throws {
        let fixture = try UnionFixture([
            .directory("usr"), .directory("usr/share"), .file("usr/share/text", "text"),
        ])
        fixture.union.rehearse()
        #expect(try names(in: fixture, "upper") == [])
        #expect(try names(in: fixture, "work") == [])
        // It was there: whoever writes into a large file later makes maps here.
        #expect(try names(in: fixture, "maps") == [])
        #expect(try fixture.read("usr/share/text") == Array("text".utf8))
    }

    @Test func takesNoFileOfAnEmptyTree() throws {
        let fixture = try UnionFixture([.directory("usr"), .file("usr/empty", "")])
        fixture.union.rehearse()
        #expect(try names(in: fixture, "work") == [])
    }

    /// A call that fails in it, a full disk above all, is met again by whoever makes a change.
    @Test(arguments: [FaultInjection.Action.fail(.noSpace)])
    func failsUnheard(_ action: FaultInjection.Action) throws {
        let fixture = try UnionFixture([.directory("usr"), .file("usr/text", "text")])
        for count in UInt32(1)...40 {
            FaultGate.exclusive {
                FaultInjection.arm(nil, count: count, action: action)
                defer { FaultInjection.disarm() }
                fixture.union.rehearse()
            }
            #expect(try names(in: fixture, "upper") == [])
            // What could not be removed the next mount removes.
            try fixture.reopen()
            #expect(try names(in: fixture, "work") == [])
        }
        #expect(try fixture.read("usr/text") == Array("text".utf8))
    }
}
