// A copy-up that stops or fails at any of its system calls leaves the old tree or the new.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.serialized, .enabled(if: UnionFixture.isPossible)) struct CopyUpFaultTests {
    static let start = Timestamp(seconds: 1_700_000_000)
    static let large = pattern(1 << 20 + 300_000)

    struct Change: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// A write that was not answered may leave its time without its bytes.
        var mayLeaveTime = false
        var apply: @Sendable (UnionFixture) throws -> Void
    }

    static let changes: [Change] = [
        Change(testDescription: "chmod") { try $0.setMode("a/d/f", 0o600) },
        Change(testDescription: "chmod of a directory") { try $0.setMode("a/d", 0o700) },
        Change(testDescription: "setxattr") {
            try $0.union.setExtendedAttribute(of: $0.id("a/d/f"), "user.new", [1, 2], flags: 0)
        },
        Change(testDescription: "chmod of a symlink's owner") { try $0.change("a/s") { $0.uid = 9 } },
        Change(testDescription: "write") { try $0.open("a/d/f", O_RDWR).write([1, 2].raw, at: 5) },
        Change(testDescription: "write into a large file", mayLeaveTime: true) {
            try $0.open("a/big", O_RDWR).write([1, 2].raw, at: 70_000)
        },
        Change(testDescription: "write over an edge", mayLeaveTime: true) {
            try $0.open("a/big", O_RDWR).write([1, 2].raw, at: 131_071)
        },
        Change(testDescription: "truncate") { try $0.change("a/d/f") { $0.size = 50_000 } },
        Change(testDescription: "truncate a large file") {
            try $0.change("a/big") { $0.size = 1 << 20 + 100_000 }
        },
        Change(testDescription: "truncate to nothing") { _ = try $0.open("a/big", O_WRONLY | O_TRUNC) },
        Change(testDescription: "chmod of hard links") { try $0.setMode("a/h1", 0o600) },
        Change(testDescription: "write to hard links") {
            try $0.open("b/h3", O_RDWR).write([7].raw, at: 3)
        },
        Change(testDescription: "write to large hard links", mayLeaveTime: true) {
            try $0.open("b/l2", O_RDWR).write([7].raw, at: 70_000)
        },
        Change(testDescription: "rename") {
            try $0.union.rename("f", in: $0.id("a/d"), to: "new", in: $0.id("b"), flags: 0)
        },
        Change(testDescription: "link") { _ = try $0.union.link($0.id("a/d/f"), to: "l", in: $0.id("b")) },
    ]

    private static func fixture() throws -> UnionFixture {
        let attribute = ExtendedAttribute(name: "user.note", value: [1, 2, 3])
        return try UnionFixture(
            [
                .file("a/d/f", bytes: pattern(100_000), 0o4755, uid: 3, attributes: [attribute]),
                .file("a/big", bytes: large), .file("a/h1", "linked text"), .hardLink("a/h2", "a/h1"),
                .directory("b"), .hardLink("b/h3", "a/h1"), .file("a/l1", bytes: large),
                .hardLink("b/l2", "a/l1"), .symlink("a/s", "target"),
            ], inMemory: false)
    }

    @Test(arguments: changes) func stopsAnywhere(_ change: Change) throws {
        try interrupt(change, by: .stop)
    }

    @Test(arguments: changes) func failsAnywhere(_ change: Change) throws {
        try interrupt(change, by: .fail(.noSpace))
    }

    /// Meets `action` at call 1, 2, 3… of the change, until the change meets none.
    private func interrupt(_ change: Change, by action: FaultInjection.Action) throws {
        let fixture = try Self.fixture()
        let old = try TreeRecord(of: fixture.union, start: Self.start)
        try change.apply(fixture)
        let new = try TreeRecord(of: fixture.union, start: Self.start)
        #expect(old != new)
        for count in UInt32(1)...100 {
            try fixture.startAfresh()
            let failed = FaultGate.exclusive {
                FaultInjection.arm(nil, count: count, action: action)
                defer { FaultInjection.disarm() }
                return (try? change.apply(fixture)) == nil
            }
            if case .fail = action {
                var seen = try TreeRecord(of: fixture.union, start: Self.start)
                if change.mayLeaveTime, seen != new, seen.ignoringTimes == old.ignoringTimes { seen = old }
                #expect(
                    seen == old || seen == new, "call \(count), before the end\n\(seen.difference(from: old))"
                )
            }
            try fixture.reopen(cleanly: false)
            var seen = try TreeRecord(of: fixture.union, start: Self.start)
            if change.mayLeaveTime, seen != new, seen.ignoringTimes == old.ignoringTimes { seen = old }
            #expect(
                seen == old || seen == new,
                "call \(count)\n\(seen.difference(from: old))\nor\n\(seen.difference(from: new))")
            // What was left may not stand in the way of the same change.
            if seen == old {
                try change.apply(fixture)
                #expect(try TreeRecord(of: fixture.union, start: Self.start) == new, "call \(count), again")
            }
            if !failed {
                #expect(seen == new)
                #expect(count > 3)
                return
            }
        }
        Issue.record("never stopped failing")
    }
}
