import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// `lamina run`, `stop` and `bundle`: programs in sandboxes.
@Suite(.serialized, .enabled(if: !containerRuntimes.isEmpty)) struct RunCommandTests {
    private func program() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.importShell()
        return lamina
    }

    @Test(arguments: containerRuntimes) func runsWhatTheImageSays(_ runtime: String) throws {
        let lamina = try program()
        let run = try lamina.contained("run", "--rm", "--runtime", runtime, "-e", "B=option", "shell")
        #expect(run.exitCode == 3 && run.lines == ["image option /root"], "\(run)")
        #expect(try lamina.lines("ps", "-aq").isEmpty)
        #expect(try MountTable.entries().allSatisfy { !$0.mountpoint.hasPrefix(lamina.directory.path) })
    }

    @Test(arguments: containerRuntimes) func takesOptions(_ runtime: String) throws {
        let lamina = try program()
        let run = try lamina.contained(
            "run", "--name", "box", "-u", "ann", "-w", "/tmp", "--runtime", runtime, "shell", "sh", "-c",
            "id -u; id -G; pwd; echo $HOME; hostname; echo $$")
        let id = try #require(try lamina.lines("ps", "-aq", "-f", "name=box").first)
        #expect(
            run.exitCode == 0 && run.lines == ["1000", "100 300", "/tmp", "/home/ann", id, "1"], "\(run)")
        let entry = try lamina.contained(
            "run", "--rm", "--runtime", runtime, "--entrypoint", "/bin/cat", "shell", "/etc/group")
        #expect(entry.exitCode == 0 && entry.lines.count == 3, "\(entry)")
        // A command's own options are its own.
        let own = try lamina.contained("run", "--rm", "--runtime", runtime, "shell", "ls", "--version")
        #expect(own.exitCode == 0)
        // Nothing of the host is there to be changed.
        let proc = try lamina.contained(
            "run", "--rm", "--runtime", runtime, "shell", "sh", "-c",
            "echo x > /proc/sys/kernel/hostname || echo refused; ls /proc | grep -c '^1$' || ls -d /proc/1")
        #expect(proc.lines == ["refused", "/proc/1"], "\(proc)")
    }

    @Test func volumes() throws {
        let lamina = try program()
        let host = "\(lamina.path("host"))"
        let run = try lamina.run(
            "run", "--rm", "-v", "\(host):/host", "--mount", "type=volume,source=data,target=/data,readonly",
            "shell",
            "sh", "-c", "echo written > /host/file; echo no > /data/file || echo refused")
        #expect(run.exitCode == 0 && run.lines == ["refused"], "\(run)")
        let file = try Descriptor.open(ByteString(host + "/file"), O_RDONLY)
        #expect(try file.readAll(limit: 100) == Array("written\n".utf8))
        #expect(try lamina.lines("volume", "ls", "-q") == ["data"])
    }

    /// Standard input is the caller's with `-i` alone; a terminal is one.
    @Test(arguments: containerRuntimes) func inputAndTerminal(_ runtime: String) throws {
        let lamina = try program()
        let input = ByteString(try lamina.file(Array("from outside\n".utf8), named: "input"))
        let path = try lamina.runtimePath()
        for (options, expected) in [(["-i"], ["from outside"]), ([], [])] {
            let run = try lamina.run(
                ["run", "--rm", "--runtime", runtime] + options + ["shell", "cat"], input: input,
                environment: ["PATH": path])
            #expect(run.exitCode == 0 && run.lines == expected, "\(run)")
        }
        lamina.expectFailure(
            try lamina.contained("run", "--rm", "-it", "shell"), code: 64, "the input device is not a TTY")
        let terminal = try CommandRun.run(
            "/usr/bin/script",
            [
                "-qec",
                "\(try MountedSandbox.program("lamina")) run --rm -it --runtime \(runtime) shell sh -c 'tty; exit 4'",
                "/dev/null",
            ], environment: ["PATH": path, "LAMINA_ROOT": "\(lamina.root)"])
        #expect(terminal.exitCode == 4 && terminal.output.contains("/dev/pts/0"), "\(terminal)")
        #expect(try lamina.lines("ps", "-aq").isEmpty)
    }

    /// In the background: shown as running, refused to others, stopped by SIGTERM or, after a while, SIGKILL.
    @Test(arguments: containerRuntimes) func inTheBackground(_ runtime: String) throws {
        let lamina = try program()
        let polite = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"
        let run = try lamina.contained(
            "run", "-d", "--name", "box", "--runtime", runtime, "shell", "sh", "-c", polite)
        #expect(run.exitCode == 0, "\(run)")
        #expect(try lamina.lines("ps", "--no-trunc", "-q", "-f", "status=running") == run.lines)
        let status = try lamina.lines("ps", "--format", "{{.State}} {{.Status}}")
        #expect(status.first?.hasPrefix("running Up ") == true, "\(status)")
        let process = try #require(
            try lamina.lines("inspect", "-f", "{{.State.Pid}}", "box").first.flatMap { Int($0) })
        #expect(process > 1 && kill(pid_t(process), 0) == 0)
        lamina.expectFailure(try lamina.run("umount", "box"), code: 4, "box: is running; run lamina stop box")
        lamina.expectFailure(try lamina.run("rm", "box"), code: 4, "box: is mounted")
        #expect(try lamina.contained("stop", "box").lines == ["box"])
        #expect(try lamina.lines("ps", "-q").isEmpty)
        #expect(kill(pid_t(process), 0) == -1)
        let directory = try #require(try lamina.lines("inspect", "-f", "{{.Directory}}", "box").first)
        let log = try Descriptor.open(ByteString(directory + "/container.log"), O_RDONLY)
        #expect(try log.readAll(limit: 1000) == Array("hello\nbye\n".utf8))
        // Nothing runs: nothing to do.
        #expect(try lamina.contained("stop", "box").lines == ["box"])
        lamina.expectFailure(try lamina.run("stop", "nobody"), code: 3, "nobody: no such sandbox")

        // Deaf: as process 1 it hears no signal that it has no handler for.
        let deaf = try lamina.contained(
            "run", "-d", "--rm", "--name", "deaf", "--runtime", runtime, "shell", "sleep", "1000")
        #expect(deaf.exitCode == 0, "\(deaf)")
        #expect(try lamina.contained("stop", "-t", "1", "deaf").lines == ["deaf"])
        #expect(try lamina.lines("ps", "-aq").count == 1)
        // Removed by force while it runs.
        #expect(
            try lamina.contained(
                "run", "-d", "--name", "other", "--runtime", runtime, "shell", "sleep", "1000"
            )
            .exitCode == 0)
        #expect(try lamina.contained("rm", "-f", "other").lines == ["other"])
        #expect(try lamina.lines("ps", "-aq").count == 1)
        #expect(try MountTable.entries().allSatisfy { !$0.mountpoint.hasPrefix(lamina.directory.path) })
    }

    /// A program that was over before anybody looked has run; one that cannot start is an error.
    @Test func shortLives() throws {
        let lamina = try program()
        #expect(try lamina.run("run", "-d", "--name", "short", "shell", "sh", "-c", ":").exitCode == 0)
        let failed = try lamina.run("run", "-d", "--name", "none", "shell", "/no/such")
        #expect(failed.exitCode == 127 && failed.output.isEmpty, "\(failed)")
        #expect(failed.errors.contains("/no/such: no such program in the sandbox"), "\(failed)")
        for name in ["short", "none"] { try lamina.lines("stop", name) }
        #expect(try lamina.lines("ps", "-q").isEmpty)
    }

    /// SIGTERM to the command is the program's.
    @Test func handsSignalsOver() throws {
        let lamina = try program()
        let output = try Descriptor.open(lamina.path("output"), O_RDWR | O_CREAT, permissions: 0o600)
            .duplicate(from: 10)
        var command = Spawn(
            "/usr/bin/env",
            [
                ByteString("LAMINA_ROOT=\(lamina.root)"), try MountedSandbox.program("lamina"), "run", "--rm",
                "shell", "sh", "-c",
                "trap 'echo heard; exit 7' TERM; echo ready; while :; do sleep 0.1; done",
            ])
        command.descriptors = [(0, output.rawValue), (1, output.rawValue), (2, output.rawValue)]
        let process = try command.start()
        for _ in 0..<6_000 where try output.status().size < 6 { usleep(10_000) }
        kill(process, SIGTERM)
        #expect(try Spawn.wait(for: process) == 7)
        #expect(try output.readBytes(at: 0, count: 100) == Array("ready\nheard\n".utf8))
        #expect(try lamina.lines("ps", "-aq").isEmpty)
    }

    /// A container whose `lamina run` was killed runs on, until somebody stops it.
    @Test func outlivesItsCommand() throws {
        let lamina = try program()
        let null = try Descriptor.open("/dev/null", O_RDWR).duplicate(from: 10)
        var command = Spawn(
            "/usr/bin/env",
            [
                ByteString("LAMINA_ROOT=\(lamina.root)"), try MountedSandbox.program("lamina"), "run",
                "--name", "box",
                "shell", "sh", "-c", "echo x > /started; sleep 1000",
            ])
        command.descriptors = [(0, null.rawValue), (1, null.rawValue), (2, null.rawValue)]
        let process = try command.start()
        var container: pid_t = 0
        for _ in 0..<6_000 where container == 0 {
            let state = try lamina.run("inspect", "-f", "{{.State.Status}} {{.State.Pid}}", "box")
            let words = (state.lines.first ?? "").split(separator: " ")
            if words.first == "running", let pid = words.last.flatMap({ pid_t($0) }) { container = pid }
            usleep(10_000)
        }
        #expect(container > 1)
        for _ in 0..<3_000 where try !lamina.lines("diff", "box").contains("A /started") { usleep(10_000) }
        kill(process, SIGKILL)
        _ = try Spawn.wait(for: process)
        #expect(kill(container, 0) == 0)
        #expect(try lamina.lines("ps", "--format", "{{.State}}") == ["mounted"])
        #expect(try lamina.lines("stop", "box") == ["box"])
        for _ in 0..<1_000 where kill(container, 0) == 0 { usleep(10_000) }
        #expect(kill(container, 0) == -1)
        #expect(try lamina.lines("ps", "-q").isEmpty)
        // It can be run from again.
        #expect(try lamina.lines("diff", "box").contains("A /started"))
        try lamina.lines("rm", "box")
    }

    /// What a container wrote is the sandbox's, and an image of it runs.
    @Test func committedImagesRun() throws {
        let lamina = try program()
        let run = try lamina.run("run", "--name", "box", "shell", "sh", "-c", "echo written > /etc/new")
        #expect(run.exitCode == 0, "\(run)")
        #expect(try lamina.lines("diff", "box") == ["C /etc", "A /etc/new"])
        try lamina.lines("commit", "-c", "CMD [\"/bin/cat\",\"/etc/new\"]", "box", "made")
        let again = try lamina.run("run", "--rm", "made")
        #expect(again.exitCode == 0 && again.lines == ["written"], "\(again)")
    }

    @Test func bundles() throws {
        let lamina = try program()
        try lamina.lines("create", "shell", "--name", "box")
        let directory = "\(lamina.path("bundle"))"
        lamina.expectFailure(try lamina.run("bundle", "box", directory), code: 1, "box: is not mounted")
        let mountpoint = try #require(try lamina.lines("mount", "box").first)
        #expect(try lamina.run("bundle", "box", directory, "/bin/id", "-u").output.isEmpty)
        let text = String(
            decoding: try Descriptor.open(ByteString(directory + "/config.json"), O_RDONLY).readAll(
                limit: 1 << 20),
            as: UTF8.self)
        #expect(
            text.contains("\"path\":\"\(mountpoint)\"") && text.contains("\"args\":[\"/bin/id\",\"-u\"]"),
            "\(text)")
        let run = try CommandRun.run(
            "/usr/bin/env",
            [
                containerRuntimes[0], "--root", "\(lamina.path("state"))", "run", "--bundle", directory,
                "test-\(getpid())",
            ], environment: ["PATH": try lamina.runtimePath()])
        #expect(run.exitCode == 0 && run.lines == ["0"], "\(run)")
        try lamina.unmount("box")
    }

    /// Docker's codes: 127 for what is not there, 126 for what cannot be invoked, 125 where Lamina or the runtime
    /// fails, whichever the runtime is.
    @Test(arguments: containerRuntimes) func exitCodes(_ runtime: String) throws {
        let lamina = try program()
        func run(_ words: String...) throws -> CommandRun {
            try lamina.run(
                ["run", "--rm", "--runtime", runtime] + words, environment: ["PATH": try lamina.runtimePath()]
            )
        }
        for name in ["/no/such", "nosuch", "./bin/nosuch"] {
            let none = try run("shell", name)
            #expect(none.exitCode == 127, "\(none)")
            #expect(none.errors.contains("\(name): no such program in the sandbox"), "\(none)")
        }
        for name in ["/etc/passwd", "/etc", "/etc/passwd/x"] {
            let unusable = try run("shell", name)
            #expect(unusable.exitCode == 126, "\(unusable)")
            #expect(unusable.errors.contains("\(name): cannot be executed in the sandbox"), "\(unusable)")
        }
        // The path is the container's, and so are what it finds and who may execute it.
        #expect(try run("-e", "PATH=/etc", "shell", "passwd").exitCode == 126)
        #expect(try run("-e", "PATH=/etc", "shell", "sh").exitCode == 127)
        #expect(try run("-u", "ann", "shell", "/etc/passwd").exitCode == 126)
        // The program is there, the directory to run it in is none.
        let elsewhere = try run("-w", "/etc/passwd", "shell", "sh")
        #expect(elsewhere.exitCode == 125 && elsewhere.errors.contains("did not start"), "\(elsewhere)")
        // The program's own codes are handed on, whatever they mean elsewhere.
        for code: Int32 in [0, 1, 3, 125, 126, 127, 255] {
            #expect(try run("shell", "sh", "-c", "exit \(code)").exitCode == code)
        }
        #expect(try lamina.lines("ps", "-aq").isEmpty)
    }

    @Test func fails() throws {
        let lamina = try program()
        lamina.expectFailure(try lamina.run("run", "nobody"), code: 125, "nobody: no such image")
        lamina.expectFailure(try lamina.run("run"), code: 64)
        lamina.expectFailure(try lamina.run("run", "--runtime", "x", "shell"), code: 64, "x")
        lamina.expectFailure(try lamina.run("run", "-d", "-t", "shell"), code: 64, "-d and -t")
        lamina.expectFailure(try lamina.run("stop", "-t", "-1", "x"), code: 64, "-t")
        lamina.expectFailure(
            try lamina.run("run", "--rm", "-u", "bob", "shell"), code: 125, "bob: no such user")
        lamina.expectFailure(
            try lamina.run("run", "-d", "--rm", "-u", "bob", "shell"), code: 125, "bob: no such user")
        lamina.expectFailure(
            try lamina.run("run", "--rm", "-u", "ann:nobody", "shell"), code: 125, "nobody: no such group")
        lamina.expectFailure(
            try lamina.run("run", "--rm", "--entrypoint", "", "shell"), code: 125, "no command specified")
        lamina.expectFailure(try lamina.run("bundle", "nobody", "/x"), code: 3, "no such sandbox")
        // Nothing of them stays.
        #expect(try lamina.lines("ps", "-aq").isEmpty)
    }
}
