import Glibc
import LaminaCore
import LaminaSystem
import Testing

@Suite struct ProcessTests {
    @Test func runsAProgramAndReadsItsOutput() throws {
        let pipe = try ProcessPipe()
        var command = Spawn("/bin/sh", ["-c", "echo $0; exit 3", "caf\u{e9}"])
        command.descriptors = [(1, pipe.writeEnd.rawValue)]
        command.newSession = true
        let process = try command.start()
        let output = pipe.takeReadEnd()
        #expect(try output.waitReadable(milliseconds: 10_000))
        var buffer = [UInt8](repeating: 0, count: 64)
        var space = buffer.mutableSpan
        // SAFETY: reads into the local array.
        let count = try unsafe space.withUnsafeMutableBytes { try unsafe output.read(into: $0) }
        #expect(String(decoding: buffer[..<count], as: UTF8.self) == "caf\u{e9}\n")
        #expect(try Spawn.wait(for: process) == 3)
    }

    /// Threads of Dispatch, on which tests run, block signals.
    @Test func startsProgramsWithNoSignalBlocked() throws {
        let script = "test $(sed -n 's/^SigBlk:[[:space:]]*//p' /proc/self/status) = 0000000000000000"
        #expect(try Spawn("/bin/sh", ["-c", ByteString(script)]).run() == 0)
    }

    @Test func saysThatAProgramIsMissing() {
        #expect(throws: Errno.noSuchFileOrDirectory) { try Spawn("/nothing/here", []).start() }
    }

    @Test func readsTheMountTable() throws {
        let mounts = try MountTable.entries()
        #expect(mounts.contains { $0.mountpoint == "/proc" && $0.filesystem == "proc" })
        #expect(throws: Errno.self) { try MountTable.unmount("/nothing/here", lazy: false) }
    }
}
