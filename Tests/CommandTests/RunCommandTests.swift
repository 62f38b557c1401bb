import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Whether containers can be tried here; says so where they cannot.
private let canRun: Bool = {
    let can = canMountBoxes && Spawn.locate("runc") != nil
    if !can { print("SKIPPED, NOT TESTED: lamina run needs root, /dev/fuse and runc") }
    return can
}()

/// `lamina run` and `bundle`: programs in sandboxes, through runc.
@Suite(.serialized, .enabled(if: canRun)) struct RunCommandTests {
    /// An image of what a shell of this machine needs, as `shell:latest`.
    private func program() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        let made = try CommandRun.run(
            "/bin/bash",
            [
                "-ec",
                #"""
                mkdir -p "$0"; cd "$0"; mkdir -p bin etc proc dev sys tmp lib64 home/ann
                for tool in sh cat id pwd ls hostname sleep; do
                    file=$(readlink -f "$(type -P $tool)"); cp "$file" bin/$tool
                    ldd "$file" | grep -o '/[^ ]*' | while read -r library; do mkdir -p ".$(dirname "$library")"; cp -L "$library" ".$library"; done
                done
                echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd; echo 'ann:x:1000:100:Ann:/home/ann:/bin/sh' >> etc/passwd
                printf 'root:x:0:\nusers:x:100:\nextra:x:300:bob,ann\n' > etc/group
                """#, "\(lamina.path("tree"))",
            ])
        #expect(made.exitCode == 0, "\(made)")
        try lamina.lines(
            "import", "-c", "ENV A=image B=image", "-c",
            "CMD [\"/bin/sh\",\"-c\",\"echo $A $B $HOME; exit 3\"]",
            "\(lamina.path("tree"))", "shell")
        return lamina
    }

    @Test func runsWhatTheImageSays() throws {
        let lamina = try program()
        let run = try lamina.run("run", "--rm", "-e", "B=option", "shell")
        #expect(run.exitCode == 3 && run.lines == ["image option /root"], "\(run)")
        #expect(try lamina.lines("ps", "-aq").isEmpty)
        #expect(try MountTable.entries().allSatisfy { !$0.mountpoint.hasPrefix(lamina.directory.path) })
    }

    @Test func takesOptions() throws {
        let lamina = try program()
        let run = try lamina.run(
            "run", "--name", "box", "-u", "ann", "-w", "/tmp", "--runtime", "runc", "shell", "sh", "-c",
            "id -u; id -G; pwd; echo $HOME; hostname")
        let id = try #require(try lamina.lines("ps", "-aq", "-f", "name=box").first)
        #expect(run.exitCode == 0 && run.lines == ["1000", "100 300", "/tmp", "/home/ann", id], "\(run)")
        let entry = try lamina.run("run", "--rm", "--entrypoint", "/bin/cat", "shell", "/etc/group")
        #expect(entry.exitCode == 0 && entry.lines.count == 3, "\(entry)")
        // A command's own options are its own.
        #expect(try lamina.run("run", "--rm", "shell", "ls", "--version").exitCode == 0)
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
        let runc = try #require(Spawn.locate("runc"))
        let run = try CommandRun.run(
            runc, ["--root", "\(lamina.path("state"))", "run", "--bundle", directory, "test-\(getpid())"])
        #expect(run.exitCode == 0 && run.lines == ["0"], "\(run)")
        try lamina.unmount("box")
    }

    @Test func fails() throws {
        let lamina = try program()
        lamina.expectFailure(try lamina.run("run", "nobody"), code: 3, "nobody: no such image")
        lamina.expectFailure(try lamina.run("run"), code: 64)
        lamina.expectFailure(try lamina.run("run", "--runtime", "x", "shell"), code: 64, "x")
        lamina.expectFailure(
            try lamina.run("run", "--rm", "-u", "bob", "shell"), code: 3, "bob: no such user")
        lamina.expectFailure(
            try lamina.run("run", "--rm", "-u", "ann:nobody", "shell"), code: 3, "nobody: no such group")
        lamina.expectFailure(
            try lamina.run("run", "--rm", "--entrypoint", "", "shell"), code: 1, "no command specified")
        lamina.expectFailure(try lamina.run("bundle", "nobody", "/x"), code: 3, "no such sandbox")
        #expect(try lamina.run("run", "--rm", "shell", "/no/such").exitCode != 0)
        // Nothing of them stays.
        #expect(try lamina.lines("ps", "-aq").isEmpty)
    }
}
