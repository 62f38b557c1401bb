import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// `lamina commit`: the image's tree is the sandbox's, and the layer is decided by the changes alone.
@Suite(.enabled(if: canMountBoxes)) struct CommitCommandTests {
    private func box() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.loadBase()
        try lamina.lines("create", "base", "--name", "box")
        return lamina
    }

    /// Changes of each kind that a layer can hold.
    private static let changes = #"""
        echo two > etc/release; rm etc/gone; chmod 4711 etc/kept; chown 7:8 etc/kept
        mkdir -p new/dir; head -c 300000 /dev/urandom > new/dir/file; ln -s ../x new/link; ln new/dir/file new/twin
        mkfifo new/fifo; mknod new/null c 1 3; mknod new/disk b 8 1; setfattr -n user.a -v b new/dir
        setfattr -n trusted.t -v v new/dir/file; touch -h -d '1969-12-31 23:59:58.25 UTC' new/link
        long=new/$(printf 'n%.0s' {1..200}); mkdir $long; touch $long/$(printf 'm%.0s' {1..200})
        touch "new/$(printf 'bytes\xff\x01 "')"; ln -s $(printf 't%.0s' {1..150}) new/far
        printf x | dd of=var/big bs=1 seek=2000000 conv=notrunc status=none
        rm -r opt/deep/er; mkdir opt/deep/er; echo y > opt/deep/er/new
        truncate -s 64M new/sparse; printf z | dd of=new/sparse bs=1 seek=40000000 conv=notrunc status=none
        setcap cap_net_raw+ep new/dir/file 2>/dev/null || true
        """#

    @Test func theImageIsTheSandbox() throws {
        let lamina = try box()
        try lamina.change("box", Self.changes)
        let id = try #require(try lamina.lines("commit", "box", "made:1").first)
        #expect(id.hasPrefix("sha256:"))
        try lamina.lines("create", "made:1", "--name", "copy")
        #expect(try lamina.lines("diff", "copy").isEmpty)
        let before = try lamina.look("box", TreeListing.script)
        let after = try lamina.look("copy", TreeListing.script)
        #expect(before.count > 40)
        #expect(before == after, "\(Set(before).symmetricDifference(after))")
        #expect(try lamina.run("verify", "made:1").exitCode == 0)
    }

    /// Moved directories bring what was in them; what is deleted in one, or was changed before, is.
    @Test func movedDirectories() throws {
        let lamina = try box()
        try lamina.change(
            "box",
            "echo c >> opt/deep/er/file; mv opt/deep var/deep; rm var/deep/file; mkdir opt/deep; touch opt/deep/z"
        )
        try lamina.change(
            "box",
            "mv var/deep/er etc/er; ln etc/kept etc/er/third; mv etc var/etc; mkdir etc; mv var/big etc")
        try lamina.lines("commit", "box", "made")
        try lamina.lines("create", "made", "--name", "copy")
        let before = try lamina.look("box", TreeListing.script)
        let after = try lamina.look("copy", TreeListing.script)
        #expect(before == after, "\(Set(before).symmetricDifference(after))")
    }

    @Test func sameChangesSameLayer() throws {
        let lamina = try box()
        let changes = "rm etc/gone; echo x > etc/new; touch -d @5 etc/new etc; mkdir a; touch -d @6 a ."
        try lamina.change("box", changes)
        try lamina.lines("create", "base", "--name", "other")
        try lamina.change("other", changes)
        func layers(_ image: String) throws -> [String] {
            try lamina.lines("inspect", "-f", "{{join .RootFS.Layers \" \"}}", image)
        }
        for (number, codec) in ["zstd", "gzip", "lz4", "none"].enumerated() {
            try lamina.lines(
                "commit", "--compression", codec, number % 2 == 0 ? "box" : "other", "made:\(codec)")
            #expect(try layers("made:\(codec)") == layers("made:zstd"))
        }
        #expect(try lamina.lines("images", "--format", "{{.Tag}}", "made").count == 4)
        try lamina.lines("commit", "--level", "19", "box", "made:best")
        #expect(try layers("made:best") == layers("made:zstd"))
        // Nothing of now, and no directory of which nothing changed.
        let diffID = try #require(try layers("made:zstd").first?.split(separator: " ").last)
        let tar = "\(lamina.path("layer.tar"))"
        try lamina.lines("layer", "cat", String(diffID), "-o", tar)
        let list = try CommandRun.run("/bin/tar", ["--utc", "-tvf", tar])
        #expect(list.exitCode == 0)
        #expect(
            list.lines.map { $0.split(separator: " ").dropFirst(3).joined(separator: " ") } == [
                "1970-01-01 00:00 ./", "1970-01-01 00:00 a/", "1970-01-01 00:00 etc/",
                "1970-01-01 00:00 etc/.wh.gone",
                "1970-01-01 00:00 etc/new",
            ], "\(list)")
    }

    @Test func configAndHistory() throws {
        let lamina = try box()
        let run = try lamina.run(
            "commit", "-a", "Ann <ann@example.org>", "-m", "a message", "-c", "ENV A=1 B=\"two words\"", "-c",
            "CMD [\"/bin/true\", \"x\"]", "-c", "LABEL k=v", "-c", "EXPOSE 80 53/udp", "-c", "WORKDIR /srv",
            "-c",
            "workdir sub", "-c", "VOLUME /data", "-c", "USER 5", "-c", "ENV A=2", "box", "made")
        #expect(run.exitCode == 0, "\(run)")
        let config = try #require(try lamina.lines("inspect", "-f", "{{json .Config}}", "made").first)
        #expect(
            config == """
                {"Cmd":["/bin/true","x"],"Env":["A=2","B=two words"],"ExposedPorts":{"53/udp":{},"80/tcp":{}},\
                "Labels":{"k":"v"},"User":"5","Volumes":{"/data":{}},"WorkingDir":"/srv/sub"}
                """)
        #expect(
            try lamina.lines("inspect", "-f", "{{.Author}}|{{.Comment}}", "made") == [
                "Ann <ann@example.org>|a message"
            ])
        let history = try lamina.lines("history", "--format", "{{.CreatedBy}}|{{.Comment}}", "made")
        // The base had no history: a step for its layer, so that tools find as many as layers.
        #expect(history == ["/bin/sh|a message", "|"], "\(history)")
        // An unnamed image is one all the same.
        try lamina.lines("commit", "box")
        #expect(try lamina.lines("images", "-q", "-f", "dangling=true").count == 1)
    }

    @Test func onAnImageThatIsGone() throws {
        let lamina = try box()
        try lamina.change("box", "echo x > etc/new")
        try lamina.lines("rmi", "-f", "base")
        try lamina.lines("prune")
        try lamina.lines("commit", "box", "made")
        try lamina.lines("create", "made", "--name", "copy")
        #expect(try lamina.look("copy", "cat etc/new etc/kept") == ["x", "kept"])
    }

    @Test func fails() throws {
        let lamina = try box()
        lamina.expectFailure(try lamina.run("commit", "nobody"), code: 3, "nobody: no such sandbox")
        lamina.expectFailure(try lamina.run("commit"), code: 64)
        lamina.expectFailure(try lamina.run("commit", "box", "Bad"), code: 2, "Bad")
        lamina.expectFailure(try lamina.run("commit", "--compression", "xz", "box"), code: 64, "xz")
        lamina.expectFailure(
            try lamina.run("commit", "--level", "20", "box"), code: 64, "20 is no level of zstd, only 1 to 19"
        )
        lamina.expectFailure(
            try lamina.run("commit", "--compression", "none", "--level", "1", "box"), code: 64, "no levels")
        for change in ["RUN x", "ENV", "EXPOSE x", "ENV =x", "LABEL k"] {
            lamina.expectFailure(try lamina.run("commit", "-c", change, "box"), code: 64, "--change")
        }
        // Nothing of a commit that failed is an image.
        let failed = try lamina.run("commit", "box", "made", environment: ["LAMINA_FAULT": "write:2:ENOSPC"])
        #expect(failed.exitCode == 5 && failed.output.isEmpty, "\(failed)")
        #expect(try lamina.lines("images", "-q").count == 1)
        #expect(try lamina.storeFiles().allSatisfy { !$0.hasPrefix("ingest/") })
    }
}
