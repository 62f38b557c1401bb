import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Images of Windows: all digests stay through load and save, and a sandbox shows what is below `Files`.
@Suite struct WindowsImageTests {
    private static func image() -> TestImage {
        func layer(_ build: (inout TarBuilder) -> Void) -> TestImage.Layer {
            var tar = TarBuilder()
            build(&tar)
            tar.end()
            var layer = TestImage.Layer(tar.bytes)
            layer.mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
            return layer
        }
        func add(
            _ tar: inout TarBuilder, _ name: String, _ type: Character = "0", _ payload: [UInt8] = [],
            link: String = "", attributes: Int = 32
        ) {
            tar.addPax([
                ("LIBARCHIVE.creationtime", Array("-11644473600.1234567".utf8)),
                ("MSWINDOWS.fileattr", Array("\(attributes)".utf8)),
                ("MSWINDOWS.rawsd", Array("AQAUgBQAAAAkAAAA".utf8)),
                ("mtime", Array("1700000000.1234567".utf8)),
            ])
            tar.add(name, type: type, payload, link: link, mode: type == "5" ? 0o755 : 0o644)
        }
        var image = TestImage([
            layer { tar in
                for name in ["Files", "Files/Windows", "Files/Users"] { add(&tar, name, "5", attributes: 16) }
                add(&tar, "Files/Windows/kernel.dll", "0", noise(150_000, seed: 1))
                add(&tar, "Files/linked.dll", "1", link: "Files/Windows/kernel.dll")
                add(&tar, "Files/Users/gone.txt", "0", Array("gone".utf8))
                add(&tar, "Files/Documents and Settings", "2", link: "C:\\Users", attributes: 9238)
                add(&tar, "Files/other", "2", link: "D:\\x", attributes: 9238)
                add(&tar, "Hives/System_Delta", "0", Array("regf".utf8))
                add(&tar, "UtilityVM/Files/BCD", "0", noise(70_000, seed: 3))
            },
            layer { tar in
                add(&tar, "Files", "5", attributes: 16)
                add(&tar, "Files/Users", "5", attributes: 17)
                add(&tar, "Files/Users/.wh.gone.txt")
                add(&tar, "Files/Users/new.txt", "0", Array("new".utf8), attributes: 33)
                tar.add("Files/Users/new.txt:Zone.Identifier", Array("[ZoneTransfer]".utf8))
                tar.add("Files/Users/new.txt:large", noise(70_000, seed: 4))
                // A link to a file of the layer below, by its whole name.
                add(&tar, "Files/again.dll", "1", link: "Files/Windows/kernel.dll")
                add(&tar, "Hives/Software_Delta", "0", Array("regf2".utf8))
            },
        ])
        image.os = "windows"
        return image
    }

    private func facts(_ lamina: LaminaProgram) throws -> [String] {
        try lamina.lines(
            "inspect", "-f", "{{.Id}} {{json .Manifests}} {{join .RootFS.Layers \" \"}} {{.Os}}", "windows")
    }

    @Test func digestsStay() throws {
        let lamina = try LaminaProgram()
        try lamina.lines("load", "-q", "-i", lamina.layout(Self.image().layout, named: "windows"))
        let before = try facts(lamina)
        #expect(before.first?.contains("\(sha256(Self.image().manifest))") == true, "\(before)")
        for format in ["oci-archive", "docker-archive"] {
            let saved = "\(lamina.path(format))"
            try lamina.lines("save", "--format", format, "-o", saved, "windows")
            let other = try LaminaProgram()
            try other.lines("load", "-q", "-i", saved)
            let after = try facts(other)
            if format == "oci-archive" { #expect(after == before) }
            #expect(after.first?.hasPrefix("\(sha256(Self.image().config)) ") == true)
            #expect(try other.run("verify").exitCode == 0)
            for layer in Self.image().layers {
                let tar = "\(other.path("layer.tar"))"
                try other.lines("layer", "cat", "\(sha256(layer.tar))", "-o", tar)
                #expect(
                    try Descriptor.open(ByteString(tar), O_RDONLY).readAll(limit: 1 << 24) == layer.tar)
            }
        }
    }

    /// As Windows finds names; what volumes hold is the host's, where case counts, wherever they were said to be.
    @Test(.enabled(if: canMountBoxes)) func ignoresCaseWhereAsked() throws {
        let lamina = try LaminaProgram()
        try lamina.lines("load", "-q", "-i", lamina.layout(Self.image().layout, named: "windows"))
        let host = "\(lamina.path("host"))"
        try lamina.lines("create", "windows", "--name", "box", "-v", "\(host):/USERS", "-v", "\(host):/new")
        let mountpoint = try #require(try lamina.lines("mount", "--ignore-case", "box").first)
        let script = """
            cd '\(mountpoint)'; cmp WINDOWS/Kernel.DLL Windows/kernel.dll; test ! -e windows/nothing
            echo x > NEW/File; cat USERS/File new/File; ls; test ! -e new/FILE; test ! -e USERS/new.txt
            echo y > windows/NOTHING; cat WINDOWS/nothing; rm Windows/Nothing; ls windows
            rmdir New 2>/dev/null || echo busy; stat -c %N "DOCUMENTS AND SETTINGS"
            """
        let run = try CommandRun.run("/bin/bash", ["-ec", script])
        #expect(
            run.lines == [
                "x", "x", "Documents and Settings", "Users", "Windows", "again.dll", "linked.dll", "new",
                "other", "y", "kernel.dll", "busy", "'DOCUMENTS AND SETTINGS' -> '/Users'",
            ] && run.exitCode == 0, "\(run)")
        try lamina.unmount("box")
        // Of that mount alone.
        #expect(try lamina.look("box", "test -e WINDOWS || echo none") == ["none"])
        lamina.expectFailure(
            try lamina.run("mount", "--ignore-case=x", "box"), code: 64, "--ignore-case")
    }

    @Test(.enabled(if: canMountBoxes)) func theMountShowsFiles() throws {
        let lamina = try LaminaProgram()
        try lamina.lines("load", "-q", "-i", lamina.layout(Self.image().layout, named: "windows"))
        try lamina.lines("create", "windows", "--name", "box")
        let tree = try lamina.look(
            "box", "find . -type d -printf '%P|d|%T@\\n' -o -printf '%P|%y|%n|%s|%l|%T@\\n' | LC_ALL=C sort")
        let time = "1700000000.1234567000"
        #expect(
            tree
                == [
                    "Documents and Settings|l|1|6|/Users|\(time)",
                    "Users/new.txt:large|f|1|70000||1500000000.0000000000",
                    "Users/new.txt|f|1|3||\(time)", "Users|d|\(time)",
                    "Windows/kernel.dll|f|3|150000||\(time)",
                    "Windows|d|\(time)", "again.dll|f|3|150000||\(time)",
                    "linked.dll|f|3|150000||\(time)", "other|l|1|4|D:\\x|\(time)",
                    "|d|\(time)",
                ], "\(tree)")
        let attributes = try lamina.look(
            "box", "getfattr -d -m user. --only-values Users Users/new.txt Windows/kernel.dll; echo")
        let descriptor = "AQAUgBQAAAAkAAAA"
        #expect(
            attributes == ["17\(descriptor)33\(descriptor)[ZoneTransfer]32\(descriptor)"], "\(attributes)")
        // Written to, looked at, exported; but no layer is made of it.
        try lamina.change(
            "box", "echo changed >> Users/new.txt; mv again.dll Windows; chmod 600 Windows/kernel.dll")
        #expect(
            try lamina.lines("diff", "box") == [
                "C /Users", "C /Users/new.txt", "C /Windows", "A /Windows/again.dll", "C /Windows/kernel.dll",
                "D /again.dll", "C /linked.dll",
            ])
        lamina.expectFailure(try lamina.run("commit", "box"), code: 1, "box: is one of a Windows image")
        try lamina.lines("export", "box", "-o", "\(lamina.path("tree.tar"))")
        let list = try CommandRun.run("/bin/tar", ["-tf", "\(lamina.path("tree.tar"))"])
        #expect(list.lines.contains("./Users/new.txt") || list.lines.contains("Users/new.txt"), "\(list)")
        #expect(
            try lamina.lines("layer", "ls-files", "\(sha256(Self.image().layers[0].tar))").contains(
                "Hives/System_Delta"))
    }
}
