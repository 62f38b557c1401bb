// `lamina mount --volatile`: no call makes anything durable, and a sandbox that did not end cleanly is refused.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct VolatileCommandTests {
    private func program() throws -> (LaminaProgram, ByteString) {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "box")
        let id = try #require(try lamina.lines("ps", "-aq", "--no-trunc").first)
        return (lamina, lamina.root.appending("sandboxes").appending(ByteString(id)))
    }

    private func killServer(of sandbox: ByteString) throws {
        let text = String(
            decoding: try Descriptor.open(sandbox.appending("lock"), O_RDONLY).readAll(limit: 32),
            as: UTF8.self)
        let process = try #require(pid_t(text.prefix { $0.isNumber }))
        kill(process, SIGKILL)
        while kill(process, 0) == 0 { usleep(1000) }
    }

    private func write(_ name: ByteString, below sandbox: ByteString) throws {
        let file = try Descriptor.open(
            sandbox.appending("merged").appending(name), O_WRONLY | O_CREAT | O_SYNC, permissions: 0o644)
        try file.writeAll(Array("text\n".utf8))
        try file.sync()
        try file.syncData()
        try Descriptor.open(sandbox.appending("merged"), O_RDONLY | O_DIRECTORY).syncDirectory()
    }

    @Test func saysSoAndEndsCleanly() throws {
        let (lamina, sandbox) = try program()
        let marker = sandbox.appending("work/work/incompat/volatile")
        let run = try lamina.run("mount", "--volatile", "box")
        #expect(run.exitCode == 0 && run.errors.contains("box: mounted volatile"), "\(run)")
        #expect(try FileStatus.of(marker).type == .directory)
        try write("new", below: sandbox)
        #expect(try lamina.lines("ps").contains { $0.contains("Mounted (volatile)") })
        #expect(
            try lamina.lines("inspect", "box").contains { $0.contains("\"Volatile\"") && $0.contains("true") }
        )
        try lamina.unmount("box")
        #expect((try? FileStatus.of(marker)) == nil)
        #expect(try lamina.run("mount", "box").errors.isEmpty)
        #expect(try FileStatus.of(sandbox.appending("merged/new")).size == 5)
        #expect(
            try lamina.lines("inspect", "box").contains {
                $0.contains("\"Volatile\"") && $0.contains("false")
            })
        try lamina.unmount("box")
    }

    @Test func refusesWhatACrashLeft() throws {
        let (lamina, sandbox) = try program()
        _ = try lamina.run("mount", "--volatile", "box")
        try write("new", below: sandbox)
        try killServer(of: sandbox)
        try lamina.unmount("box")
        #expect(try lamina.lines("ps", "-a").contains { $0.contains("not ended cleanly") })
        for arguments in [
            ["mount", "box"], ["mount", "--volatile", "box"], ["mount", "--read-only", "box"],
        ] {
            let run = try CommandRun.run("lamina", arguments, environment: ["LAMINA_ROOT": "\(lamina.root)"])
            lamina.expectFailure(run, code: 1, "box", "did not end cleanly", "--force")
        }
        #expect(try lamina.run("mount", "--force", "box").exitCode == 0)
        #expect(try FileStatus.of(sandbox.appending("merged/new")).size == 5)
        try lamina.unmount("box")
        #expect(try lamina.run("mount", "box").exitCode == 0)
        try lamina.unmount("box")
    }

    /// Nothing was written, so that nothing has to be refused.
    @Test func aMountThatFailsLeavesNoMark() throws {
        let (lamina, sandbox) = try program()
        let chain = try #require(
            try Descriptor.open(lamina.root.appending("chains"), O_RDONLY | O_DIRECTORY).entries().first {
                $0.name != "." && $0.name != ".."
            })
        let run = try CommandRun.run(
            MountedSandbox.program("lamina-mountd"),
            [
                "--root", "\(lamina.root)", "--chain", "\(ByteString(chain.name.bytes.prefix(64)))",
                "--sandbox", "\(sandbox)",
                "--mountpoint", "\(sandbox)/missing", "--volatile",
            ])
        #expect(run.exitCode == 1 && run.errors.contains("missing"), "\(run)")
        #expect((try? FileStatus.of(sandbox.appending("work/work/incompat/volatile"))) == nil)
        #expect(try lamina.run("mount", "box").exitCode == 0)
        try lamina.unmount("box")
    }

    /// Overlayfs's own mark is where ours is.
    @Test func overlayfsAndLaminaRefuseEachOther() throws {
        let (lamina, sandbox) = try program()
        let script = """
            set -eu; cd "$1"; mkdir -p lower place; modprobe overlay 2>/dev/null || true
            grep -qw overlay /proc/filesystems || { echo none; exit; }
            options=lowerdir=lower,upperdir=upper,workdir=work
            if [ "$2" = refused ]; then
                mount -t overlay overlay -o $options place 2>/dev/null && umount place && echo mounted; echo end
            else
                mount -t overlay overlay -o $options,volatile place; umount place; echo end
            fi
            """
        func overlay(_ what: String) throws -> String {
            try CommandRun.run(
                "/usr/bin/unshare", ["--mount", "bash", "-c", script, "overlay", "\(sandbox)", what]
            ).output
        }
        _ = try lamina.run("mount", "--volatile", "box")
        try killServer(of: sandbox)
        try lamina.unmount("box")
        let first = try overlay("refused")
        if first == "none\n" { return print("SKIPPED, NOT TESTED: this kernel has no overlayfs") }
        #expect(first == "end\n")
        #expect(try lamina.run("mount", "--force", "box").exitCode == 0)
        try lamina.unmount("box")
        #expect(try overlay("volatile") == "end\n")
        lamina.expectFailure(try lamina.run("mount", "box"), code: 1, "did not end cleanly")
    }
}
