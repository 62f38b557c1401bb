import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// `lamina import` and `export`: trees in and out of the store without layers.
@Suite struct ImportExportTests {
    @Test(arguments: Compression.allCases)
    func importsTars(_ compression: Compression) throws {
        let lamina = try LaminaProgram()
        let tar = LaminaProgram.base
        let file = try lamina.file(compress(tar, compression), named: "root.tar")
        let id = try #require(
            try lamina.lines("import", "-m", "a message", "-c", "CMD x y", file, "rootfs:1").first)
        #expect(try lamina.lines("images", "-q", "--no-trunc", "rootfs:1") == [id])
        // The tar itself is the layer.
        #expect(
            try lamina.lines(
                "inspect", "-f", "{{json .RootFS.Layers}} {{json .Config}} {{.Comment}} {{.Os}}", id)
                == ["[\"\(sha256(tar))\"] {\"Cmd\":[\"/bin/sh\",\"-c\",\"x y\"]} a message linux"])
        let streamed = try lamina.lines(
            "import", "--platform", "linux/arm/v7", "-", "rootfs:2", input: ByteString(file))
        #expect(streamed.count == 1)
        #expect(
            try lamina.lines("inspect", "-f", "{{.Architecture}} {{.Variant}} {{.Comment}}", "rootfs:2")
                == ["arm v7 Imported from -"])
        #expect(try lamina.run("verify").exitCode == 0)
    }

    @Test(.enabled(if: canMountBoxes)) func importsDirectories() throws {
        let lamina = try LaminaProgram()
        let made = try CommandRun.run(
            "/bin/bash",
            [
                "-ec",
                #"""
                mkdir -p "$0/a/b"; cd "$0"; echo x > a/file; ln a/file a/b/twin; ln -s ../x a/link; mkfifo a/fifo
                mknod a/null c 1 3; chmod 4755 a/b; setfattr -n user.k -v v a/file; chown 5:6 a/link -h
                truncate -s 8M a/sparse; touch -d '2001-02-03 04:05:06.789' a/b; touch a/b/"$(printf '\xfe')"
                """#, "\(lamina.path("tree"))",
            ])
        #expect(made.exitCode == 0, "\(made)")
        let first = try lamina.lines("import", "\(lamina.path("tree"))", "tree")
        #expect(first.count == 1)
        try lamina.lines("create", "tree", "--name", "box")
        let theirs = try CommandRun.run(
            "/bin/bash", ["-ec", "cd '\(lamina.path("tree"))'; " + TreeListing.script])
        let ours = try lamina.look("box", TreeListing.script)
        #expect(ours == theirs.lines, "\(Set(ours).symmetricDifference(theirs.lines))")
    }

    /// What is exported is what a mount shows; imported again it is the same tree and the same tar.
    @Test(.enabled(if: canMountBoxes)) func exportsTheTree() throws {
        let lamina = try LaminaProgram()
        try lamina.loadBase()
        try lamina.lines("create", "base", "--name", "box")
        try lamina.change(
            "box",
            """
            rm etc/gone; echo new > etc/new; mv opt/deep var/deep; printf x | dd of=var/big bs=1 seek=2000000 \
            conv=notrunc status=none; chmod 600 etc/kept; ln etc/kept etc/third; rm -r opt; mkdir opt; touch opt/x
            """)
        let before = try lamina.look("box", TreeListing.script)
        let tar = "\(lamina.path("out.tar"))"
        #expect(try lamina.run("export", "-o", tar, "box").output.isEmpty)
        try lamina.lines("import", tar, "flat")
        try lamina.lines("create", "flat", "--name", "copy")
        let after = try lamina.look("copy", TreeListing.script)
        #expect(before == after, "\(Set(before).symmetricDifference(after))")
        let again = "\(lamina.path("again.tar"))"
        try lamina.lines("export", "-o", again, "copy")
        func digest(_ path: String) throws -> Digest {
            sha256(try Descriptor.open(ByteString(path), O_RDONLY).readAll(limit: 1 << 26))
        }
        #expect(try digest(again) == digest(tar))
        // GNU tar finds the same names and no whiteout.
        let list = try CommandRun.run("/bin/tar", ["-tf", tar])
        #expect(list.exitCode == 0 && list.errors.isEmpty && !list.output.contains(".wh."), "\(list)")
        #expect(list.lines.first == "./" && list.lines.contains("var/deep/er/file"))
    }

    @Test(.enabled(if: canMountBoxes)) func namesThatMeanDeletion() throws {
        let lamina = try LaminaProgram()
        try lamina.loadBase()
        try lamina.lines("create", "base", "--name", "box")
        let made = try CommandRun.run(
            "/bin/bash", ["-ec", "mkdir $0; touch $0/.wh.x", "\(lamina.path("tree"))"])
        #expect(made.exitCode == 0)
        lamina.expectFailure(
            try lamina.run("import", "\(lamina.path("tree"))"), code: 1, "/.wh.x", "no layer can hold")
    }

    @Test func fails() throws {
        let lamina = try LaminaProgram()
        let bad = try lamina.file(noise(5000, seed: 1), named: "bad.tar")
        lamina.expectFailure(try lamina.run("import", bad), code: 2, "bad.tar", "bad tar")
        lamina.expectFailure(try lamina.run("import", "/nowhere"), code: 3, "/nowhere")
        lamina.expectFailure(try lamina.run("import", bad, "Bad"), code: 2, "Bad")
        lamina.expectFailure(
            try lamina.run("import", "--platform", "linux", bad), code: 64, "os/architecture")
        lamina.expectFailure(
            try lamina.run("import", "-c", "RUN x", bad), code: 64, "RUN is not a valid change")
        lamina.expectFailure(try lamina.run("import"), code: 64)
        lamina.expectFailure(try lamina.run("export", "nobody"), code: 3, "nobody: no such sandbox")
        lamina.expectFailure(try lamina.run("export"), code: 64)
        #expect(try lamina.lines("images", "-q").isEmpty)
        #expect(try lamina.storeFiles().isEmpty)
    }
}
