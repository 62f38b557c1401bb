// Known calls on a mount, and what its server counted of them.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct CounterTests {
    private func counters(_ mount: MountedSandbox) throws -> CounterSnapshot {
        let file = try Descriptor.open(mount.sandbox.appending("stats"), O_RDONLY)
        let bytes = try file.readAll(limit: CounterFormat.fileSize)
        return try CounterSnapshot(bytes.raw)
    }

    /// An answer is counted after it was sent, so that nobody waits for that: the counter may be an
    /// instant behind the call.
    private func eventually(
        _ mount: MountedSandbox, sourceLocation: SourceLocation = #_sourceLocation,
        _ holds: (CounterSnapshot) -> Bool
    ) throws {
        for _ in 0..<500 {
            if holds(try counters(mount)) { return }
            usleep(10_000)
        }
        Issue.record("\(try counters(mount))", sourceLocation: sourceLocation)
    }

    @Test func countsRequestsBytesAndErrors() throws {
        let mount = try MountedSandbox(
            layers: [[.file("low", bytes: [UInt8](repeating: 7, count: 300_000))]],
            options: ["--no-passthrough"])
        #expect(try counters(mount).process == mount.server())
        let before = try counters(mount)
        for number in 0..<25 { #expect(!mount.exists(ByteString("missing\(number)"))) }
        for number in 0..<7 { try mount.makeDirectory(ByteString("d\(number)")) }
        for number in 0..<7 { try mount.removeDirectory(ByteString("d\(number)")) }
        #expect(throws: Errno.directoryNotEmpty) {
            try mount.makeDirectory("full")
            try mount.makeDirectory("full/inner")
            try mount.removeDirectory("full")
        }
        try eventually(mount) { after in
            after.operation(1).requests - before.operation(1).requests >= 25
                && after.operation(9).answered == 9 && after.operation(9).errors == 0
                && after.operation(11).answered == 8 && after.operation(11).errors == 1
                && after.work.isEmpty
        }
        #expect(try mount.open("low", O_RDONLY).readAll(limit: 1 << 20).count == 300_000)
        let file = try mount.open("new", O_RDWR | O_CREAT)
        try file.writeAll([UInt8](repeating: 1, count: 12_345).raw, at: 0)
        try file.sync()
        try eventually(mount) { $0.bytesWritten == 12_345 && $0.bytesRead >= 300_000 }
        let total = try counters(mount).total
        #expect(total.nanoseconds > 0 && total.answered > 0 && total.answered <= total.requests)
    }

    @Test func countsCopyUps() throws {
        let mount = try MountedSandbox([
            .file("small", "text"), .file("big", bytes: [UInt8](repeating: 7, count: 3 << 20)),
            .file("mode", "text"),
            .directory("d"), .file("d/inner", "text"),
        ])
        func kinds() throws -> [UInt64] {
            let counters = try counters(mount)
            return [CounterEvent.copiedWhole, .copiedByBlock, .copiedMetadata].map(counters.count)
        }
        #expect(try kinds() == [0, 0, 0])
        try mount.append("small", "more")
        #expect(try kinds() == [1, 0, 0])
        try mount.root().setPermissions(of: "mode", 0o600)
        #expect(try kinds() == [1, 0, 1])
        // The directory comes first.
        try mount.append("d/inner", "more")
        #expect(try kinds() == [2, 0, 2])
        try mount.open("big", O_WRONLY).writeAll([1].raw, at: 0)
        let after = try kinds()
        // Where the filesystem shares blocks, it is whole at once.
        #expect(after[0] + after[1] == 3 && after[2] >= 2)
    }

    @Test func countsPassthroughOpens() throws {
        let large = [UInt8](repeating: 7, count: 300_000)
        for (option, expected) in [("passthrough", 3), ("cached", 0)] as [(ByteString, UInt64)] {
            let mount = try MountedSandbox(
                layers: [[.file("big", bytes: large), .file("small", "text")]], options: ["--data", option])
            for name: ByteString in ["big", "big", "small"] {
                _ = try mount.open(name, O_RDONLY).readAll(limit: 1 << 20)
            }
            try mount.write("new", "text")
            #expect(try counters(mount).count(of: .passthroughOpen) == expected, "\(option)")
        }
    }

    @Test func theLinkEndsWithTheMount() throws {
        let mount = try MountedSandbox([.file("low", "text")])
        let link = mount.sandbox.appending("stats")
        #expect(try FileStatus.of(link).type == .symlink)
        try mount.unmount()
        #expect(throws: Errno.noSuchFileOrDirectory) { try FileStatus.of(link) }
        try mount.mountAgain()
        try mount.crash()
        // What a killed server left is replaced.
        #expect(try FileStatus.of(link).type == .symlink)
        try mount.mountAgain()
        #expect(try counters(mount).process == mount.server())
    }
}
