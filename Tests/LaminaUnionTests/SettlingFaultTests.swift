// Settling, and taking back after a power cut, stopped at any of their system calls; and what kernel
// overlayfs makes of a copy before and after.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.serialized, .enabled(if: UnionFixture.isPossible)) struct SettlingFaultTests {
    static let names: [ByteString] = ["small", "big"]
    static let old: [ByteString: [UInt8]] = ["small": pattern(5000), "big": pattern(1 << 20 + 300_000)]

    private func fixture() throws -> UnionFixture {
        try UnionFixture(Self.names.map { .file($0, bytes: Self.old[$0] ?? []) })
    }

    private func new(_ name: ByteString) throws -> [UInt8] {
        var bytes = try #require(Self.old[name])
        bytes[70] = 0xAB
        return bytes
    }

    /// Meets a stop at call 1, 2, 3… of `change`, until it meets none; `check` sees what each left.
    private func stopAnywhere(
        _ fixture: UnionFixture, atLeast: UInt32, start: () throws -> Void, change: () throws -> Void,
        check: (_ failed: Bool) throws -> Void
    ) throws {
        for count in UInt32(1)...100 {
            try fixture.startAfresh()
            try start()
            let failed = FaultGate.exclusive {
                FaultInjection.arm(nil, count: count, action: .stop)
                defer { FaultInjection.disarm() }
                return (try? change()) == nil
            }
            try check(failed)
            if !failed {
                #expect(count >= atLeast)
                return
            }
        }
        Issue.record("never stopped failing")
    }

    /// Then the power is cut, or only the process ends.
    @Test(arguments: names, [false, true]) func settlingStopsAnywhere(
        _ name: ByteString, isPowerCut: Bool
    ) throws {
        let fixture = try fixture()
        let new = try new(name)
        var file: OpenFile?
        try stopAnywhere(fixture, atLeast: 4) {
            file = try fixture.open(name, O_RDWR)
            try file?.write([0xAB].raw, at: 70)
        } change: {
            try file?.sync(dataOnly: true)
        } check: { failed in
            #expect(try fixture.read(name) == new)
            if isPowerCut { try fixture.powerCut() } else { try fixture.reopen(cleanly: false) }
            let found = try fixture.read(name)
            #expect(found == new || (failed && isPowerCut && found == Self.old[name]))
            try fixture.reopen()
            try fixture.powerCut()
            #expect(try fixture.read(name) == found)
        }
    }

    /// The same copy is met again by the next mount.
    @Test(arguments: names) func takingBackStopsAnywhere(_ name: ByteString) throws {
        let fixture = try fixture()
        try stopAnywhere(fixture, atLeast: 6) {
            try fixture.open(name, O_RDWR).write([0xAB].raw, at: 70)
            try fixture.powerCut()
        } change: {
            _ = try fixture.find(name)
        } check: { _ in
            try fixture.reopen(cleanly: false)
            #expect(try fixture.read(name) == Self.old[name])
            #expect(try fixture.mark("trusted.lamina.fresh", of: name) == nil)
            #expect(fixture.unsettled == 0)
        }
    }

    /// A copy in place, stopped and followed by a power cut, shows the layer's bytes.
    @Test(arguments: names) func copyingStopsAnywhere(_ name: ByteString) throws {
        let fixture = try fixture()
        try stopAnywhere(fixture, atLeast: 4) {
            try fixture.setMode(name, 0o600)
        } change: {
            try fixture.open(name, O_RDWR).write([0xAB].raw, at: 70)
        } check: { _ in
            try fixture.powerCut()
            #expect(try fixture.read(name) == Self.old[name])
            #expect(try fixture.status(name).mode & 0o777 == 0o600)
        }
    }

    /// A file that cannot be synced stays, and keeps no other from it.
    @Test func anErrorIsReportedAndTriedAgain() throws {
        let fixture = try fixture()
        for name in Self.names { try fixture.open(name, O_RDWR).write([0xAB].raw, at: 70) }
        FaultGate.exclusive {
            FaultInjection.arm(.sync, count: 1, action: .fail(.noSpace))
            defer { FaultInjection.disarm() }
            #expect(throws: Errno.noSpace) { try fixture.union.settle() }
        }
        #expect(fixture.unsettled <= 1)
        try fixture.union.settle()
        #expect(fixture.unsettled == 0)
        try fixture.powerCut()
        for name in Self.names { #expect(try fixture.read(name) == new(name)) }
    }

    @Test func overlayfsRefusesUntilItIsSettled() throws {
        let fixture = try fixture()
        try fixture.open("small", O_RDWR).write([0xAB].raw, at: 70)
        try withOverlay(fixture) { point in
            #expect(throws: Errno.ioError) { try FileStatus.of(point.appending("small")) }
        }
        try fixture.union.settle()
        try withOverlay(fixture) { point in
            let file = try Descriptor.open(point.appending("small"), O_RDONLY)
            #expect(try file.readAll(limit: 1 << 20) == new("small"))
        }
    }

    /// After a power cut overlayfs finds the layer's bytes, under any name.
    @Test func overlayfsReadsWhatWasTakenBack() throws {
        let fixture = try fixture()
        try fixture.open("small", O_RDWR).write([0xAB].raw, at: 70)
        try fixture.union.rename("small", in: .root, to: "renamed", in: .root, flags: 0)
        try fixture.powerCut()
        #expect(try fixture.read("renamed") == Self.old["small"])
        try withOverlay(fixture) { point in
            let file = try Descriptor.open(point.appending("renamed"), O_RDONLY)
            #expect(try file.readAll(limit: 1 << 20) == Self.old["small"])
        }
    }

    /// Kernel overlayfs over the same layer and the fixture's sandbox.
    private func withOverlay(_ fixture: UnionFixture, _ body: (ByteString) throws -> Void) throws {
        let root = fixture.store.path
        for name: ByteString in ["lower", "kernel", "scratch"]
        where (try? FileStatus.of(root.appending(name))) == nil {
            try fixture.store.descriptor.makeDirectory(root.appending(name), permissions: 0o755)
        }
        for name in Self.names {
            let path = root.appending("lower").appending(name)
            try Descriptor.open(path, O_WRONLY | O_CREAT, permissions: 0o644).writeAll(Self.old[name] ?? [])
        }
        let options =
            "metacopy=on,redirect_dir=on,index=off,lowerdir=\(root)/lower,"
            + "upperdir=\(fixture.sandbox)/upper,workdir=\(root)/scratch"
        let point = root.appending("kernel")
        let result = unsafe point.withCString { place in
            // SAFETY: all strings are NUL-terminated and alive during the call.
            unsafe options.withCString { unsafe Glibc.mount("overlay", place, "overlay", 0, $0) }
        }
        try #require(result == 0, "overlayfs: \(Errno(rawValue: errno))")
        defer { try? MountTable.unmount(point, lazy: false) }
        try body(point)
    }
}
