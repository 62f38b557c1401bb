import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// `lamina cp`: Docker's rules for where things go, both ways.
@Suite(.enabled(if: canMountBoxes)) struct CopyCommandTests {
    private func box() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.loadBase()
        try lamina.lines("create", "base", "--name", "box")
        return lamina
    }

    /// Runs a shell script in the test's directory, in which `tree` is a directory and `file` a file.
    private func host(_ lamina: LaminaProgram, _ script: String) throws -> [String] {
        let run = try CommandRun.run("/bin/bash", ["-ec", "cd '\(lamina.directory.path)'; \(script)"])
        #expect(run.exitCode == 0, "\(run)")
        return run.lines
    }

    private func source(_ lamina: LaminaProgram) throws {
        _ = try host(
            lamina,
            #"""
            mkdir -p tree/sub; echo a > tree/a; echo b > tree/sub/b; ln tree/a tree/twin; ln -s a tree/link
            chmod 640 tree/a; touch -d '2001-02-03 04:05:06' tree/a tree/sub; chown 5:6 tree/a; echo x > file
            truncate -s 4M tree/sparse
            """#)
    }

    private func cp(_ lamina: LaminaProgram, _ from: String, _ to: String, _ flags: String...) throws
        -> CommandRun
    {
        func path(_ text: String) -> String {
            text.contains(":") || text == "-"
                ? text : "\(lamina.path(text))" + (text.hasSuffix("/.") ? "/." : "")
        }
        return try CommandRun.run(
            "lamina", ["cp"] + flags + [path(from), path(to)], environment: ["LAMINA_ROOT": "\(lamina.root)"])
    }

    @Test func intoASandbox() throws {
        let lamina = try box()
        try source(lamina)
        let first = try cp(lamina, "tree", "box:/new")
        #expect(first.exitCode == 0 && first.output.isEmpty, "\(first)")
        #expect(first.errorLines.count == 1 && first.errors.hasPrefix("Successfully copied "), "\(first)")
        // There now, so that a second copy goes into it; and the contents alone.
        #expect(try cp(lamina, "tree", "box:/new").exitCode == 0)
        #expect(try cp(lamina, "tree/.", "box:etc").exitCode == 0)
        #expect(try cp(lamina, "file", "box:/etc").exitCode == 0)
        #expect(try cp(lamina, "file", "box:/etc/renamed", "-q").errors.isEmpty)
        #expect(try cp(lamina, "file", "box:/var/link").exitCode == 0)
        let seen = try lamina.look(
            "box",
            #"""
            find new etc -printf '%p %U:%G %m %l\n' | LC_ALL=C sort; cat new/tree/sub/b etc/release; stat -c '%Y %h' new/a
            stat -c %Y new/sub
            """#)
        #expect(
            seen.filter { $0.hasPrefix("new") } == [
                "new 0:0 755 ", "new/a 0:0 640 ", "new/link 0:0 777 a", "new/sparse 0:0 644 ",
                "new/sub 0:0 755 ",
                "new/sub/b 0:0 644 ", "new/tree 0:0 755 ", "new/tree/a 0:0 640 ", "new/tree/link 0:0 777 a",
                "new/tree/sparse 0:0 644 ", "new/tree/sub 0:0 755 ", "new/tree/sub/b 0:0 644 ",
                "new/tree/twin 0:0 640 ",
                "new/twin 0:0 640 ",
            ], "\(seen)")
        #expect(seen.contains("etc/sub/b 0:0 644 ") && seen.contains("etc/file 0:0 644 "), "\(seen)")
        #expect(seen.contains("etc/renamed 0:0 644 "))
        // The symlink in the sandbox led to etc/release, which is another file now.
        #expect(seen.suffix(4) == ["b", "x", "981173106 2", "981173106"], "\(seen)")
        // Owners stay with -a.
        #expect(try cp(lamina, "tree/a", "box:/owned", "-a").exitCode == 0)
        #expect(try lamina.look("box", "stat -c %u:%g owned") == ["5:6"])
    }

    @Test func outOfASandbox() throws {
        let lamina = try box()
        for (from, to) in [
            ("box:/etc", "out"), ("box:/etc", "out"), ("box:/opt/deep/.", "out"), ("box:/etc/kept", "out/k"),
        ] {
            #expect(try cp(lamina, from, to, "-q").exitCode == 0)
        }
        #expect(try cp(lamina, "box:/var/link", "link").exitCode == 0)
        #expect(try cp(lamina, "box:/var/link", "followed", "-L").exitCode == 0)
        let found = try host(
            lamina, "find out link followed -printf '%p %U %l\n' | LC_ALL=C sort; cat followed")
        #expect(
            found == [
                "followed 0 ", "link 0 ../etc/release", "out 0 ", "out/er 0 ", "out/er/file 0 ", "out/etc 0 ",
                "out/etc/gone 0 ", "out/etc/kept 0 ", "out/etc/release 0 ", "out/etc/twin 0 ", "out/file 0 ",
                "out/gone 0 ",
                "out/k 0 ", "out/kept 0 ", "out/release 0 ", "out/twin 0 ", "one",
            ], "\(found)")
        // Reading changed nothing, and left nothing mounted.
        #expect(try lamina.lines("diff", "box").isEmpty)
        #expect(try lamina.lines("ps", "-q").isEmpty)
        #expect(try cp(lamina, "box:/etc/kept", "owned", "-a").exitCode == 0)
        #expect(try host(lamina, "stat -c %u:%g owned") == ["1000:100"])
    }

    @Test func whileMounted() throws {
        let lamina = try box()
        try source(lamina)
        let mountpoint = try #require(try lamina.lines("mount", "box").first)
        #expect(try cp(lamina, "file", "box:/etc/new").exitCode == 0)
        #expect(try CommandRun.run("/bin/cat", [mountpoint + "/etc/new"]).output == "x\n")
        #expect(try cp(lamina, "box:/etc/new", "back").exitCode == 0)
        #expect(try lamina.lines("ps", "-q").count == 1)
        try lamina.unmount("box")
    }

    @Test func tars() throws {
        let lamina = try box()
        try source(lamina)
        _ = try host(lamina, "tar -C tree -cf in.tar .; tar -C tree -czf in.tar.gz sub")
        for name in ["in.tar", "in.tar.gz"] {
            #expect(try lamina.run("cp", "-", "box:/opt", input: lamina.path(name)).exitCode == 0)
        }
        #expect(
            try lamina.look("box", "cat opt/a opt/sub/b; stat -c %s opt/sparse") == ["a", "b", "4194304"])
        let out = try lamina.run("cp", "box:/opt/deep", "-")
        #expect(out.exitCode == 0 && out.errors.isEmpty)
        let path = try lamina.file(Array(out.output.utf8), named: "out.tar")
        let list = try CommandRun.run("/bin/tar", ["-tf", path])
        #expect(list.lines == ["deep/", "deep/er/", "deep/er/file", "deep/file"], "\(list)")
    }

    /// Neither a symlink of the sandbox nor a name of a tar leads to the host.
    @Test func staysInside() throws {
        let lamina = try box()
        try source(lamina)
        let victim = "\(lamina.path("victim"))"
        _ = try host(lamina, "mkdir victim; echo safe > victim/file")
        try lamina.change(
            "box", "ln -s '\(victim)' out; ln -s ../../../../../../../../.. up; ln -s '\(victim)/file' direct"
        )
        // What the symlink says is looked up below the sandbox's root, where it is not.
        lamina.expectFailure(try cp(lamina, "file", "box:/out/file", "-q"), code: 3, "/out")
        let up = try cp(lamina, "file", "box:/up/etc/escaped")
        #expect(up.exitCode == 0, "\(up)")
        #expect(try lamina.look("box", "cat etc/escaped") == ["x"])
        lamina.expectFailure(try cp(lamina, "box:/direct", "stolen", "-L", "-q"), code: 3, "/direct")
        _ = try host(
            lamina,
            "mkdir evil; ln -s '\(victim)' evil/sub; tar -C evil -cf evil.tar sub; tar -C tree -rf evil.tar sub/b"
        )
        let evil = try lamina.run("cp", "-q", "-", "box:/opt", input: lamina.path("evil.tar"))
        #expect(evil.exitCode != 0, "\(evil)")
        let list = try host(lamina, "ls victim; cat victim/file")
        #expect(list == ["file", "safe"])
    }

    @Test func fails() throws {
        let lamina = try box()
        try source(lamina)
        lamina.expectFailure(try cp(lamina, "file", "nobody:/x"), code: 3, "nobody: no such sandbox")
        lamina.expectFailure(try cp(lamina, "nothing", "box:/x"), code: 3, "nothing")
        lamina.expectFailure(try cp(lamina, "box:/nothing", "x"), code: 3, "/nothing")
        lamina.expectFailure(try cp(lamina, "file", "box:/no/such"), code: 3, "/no")
        lamina.expectFailure(try cp(lamina, "file", "box:/new/"), code: 3, "/new/")
        lamina.expectFailure(try cp(lamina, "file", "box:/etc/kept/"), code: 1, "Not a directory")
        lamina.expectFailure(
            try cp(lamina, "tree", "box:/etc/kept"), code: 2, "cannot copy a directory to a file")
        lamina.expectFailure(try cp(lamina, "file", "tree"), code: 64, "at least one sandbox")
        lamina.expectFailure(try cp(lamina, "box:/a", "box:/b"), code: 64, "between sandboxes")
        lamina.expectFailure(try lamina.run("cp", "box:/a"), code: 64)
        _ = try host(lamina, "mkdir -p clash/kept; mkdir clash2; touch clash2/deep")
        lamina.expectFailure(
            try cp(lamina, "clash/.", "box:/etc"), code: 2, "cannot overwrite a file with a directory")
        lamina.expectFailure(
            try cp(lamina, "clash2/.", "box:/opt"), code: 2, "cannot overwrite a directory with a file")
        try lamina.lines("mount", "--read-only", "box")
        let readOnly = try cp(lamina, "file", "box:/etc")
        #expect(readOnly.exitCode == 1 && readOnly.errors.contains("Read-only"), "\(readOnly)")
        try lamina.unmount("box")
        #expect(try lamina.lines("diff", "box").isEmpty)
    }
}
