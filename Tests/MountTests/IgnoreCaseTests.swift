// Mounts that look names up without regard to case (`--ignore-case`), as Windows does.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct IgnoreCaseTests {
    private func mount(_ entries: FixtureEntry...) throws -> MountedSandbox {
        try MountedSandbox(layers: [entries], options: MountedSandbox.commonOptions + ["--ignore-case"])
    }

    @Test func withoutTheOptionCaseCounts() throws {
        let options = MountedSandbox.commonOptions.filter { $0 != "--ignore-case" }
        let mount = try MountedSandbox([.file("foo", "x")], options: options)
        #expect(!mount.exists("FOO"))
        try mount.write("FOO", "y")
        #expect(try mount.list(".") == ["FOO", "foo"])
    }

    /// Layers, sandbox and both together; what is listed has its own case.
    @Test func findsNames() throws {
        let mount = try mount(
            .directory("Windows"), .directory("Windows/System32"),
            .file("Windows/System32/Ntdll.dll", "lower"),
            .file("Ärger", "umlaut"))
        #expect(try mount.read("WINDOWS/system32/NTDLL.DLL") == "lower")
        #expect(try mount.read("ÄRGER") == "umlaut" && mount.read("äRGER") == "umlaut")
        #expect(try mount.status("windows/SYSTEM32").inode == mount.status("Windows/System32").inode)
        try mount.write("windows/System32/New.txt", "upper")
        #expect(try mount.read("Windows/system32/NEW.TXT") == "upper")
        #expect(try mount.list("WINDOWS/SYSTEM32") == ["New.txt", "Ntdll.dll"])
        try mount.write("WINDOWS/SYSTEM32/NTDLL.DLL", "changed")
        for _ in 0..<2 {
            #expect(try mount.read("Windows/System32/Ntdll.dll") == "changed")
            #expect(try mount.list("Windows/system32") == ["New.txt", "Ntdll.dll"])
            #expect(try mount.list(".") == ["Windows", "Ärger"])
            try mount.remount()
        }
    }

    /// Where two names of the layers differ by case alone, each finds itself; another spelling, the first.
    @Test func exactNamesGoFirst() throws {
        let mount = try mount(.file("README", "big"), .file("readme", "small"))
        #expect(try mount.read("README") == "big" && mount.read("readme") == "small")
        #expect(try mount.read("ReadMe") == "big")
        try mount.remove("README")
        #expect(try mount.read("README") == "small" && mount.list(".") == ["readme"])
        try mount.remove("ReadMe")
        #expect(try mount.list(".").isEmpty && !mount.exists("README"))
    }

    /// Nothing is made beside what differs by case alone, and that a name was missing is not remembered.
    @Test func makesNoSecondName() throws {
        let mount = try mount(.file("foo", "x"), .directory("Dir"))
        #expect(throws: Errno.fileExists) { try mount.root().makeDirectory("FOO", permissions: 0o755) }
        #expect(throws: Errno.fileExists) { try mount.root().makeDirectory("dIR", permissions: 0o755) }
        #expect(throws: Errno.fileExists) {
            _ = try mount.root().open("Foo", O_RDWR | O_CREAT | O_EXCL, permissions: 0o600)
        }
        #expect(throws: Errno.fileExists) { try mount.root().makeSymlink("FOO", target: "x") }
        #expect(throws: Errno.fileExists) { try mount.root().link("foo", to: mount.root(), "DIR") }
        #expect(!mount.exists("LATER") && !mount.exists("Later"))
        try mount.write("later", "there")
        #expect(try mount.read("LATER") == "there" && mount.read("Later") == "there")
        #expect(try mount.list(".") == ["Dir", "foo", "later"])
    }

    /// Under whatever spelling a name goes, all spellings of it are gone.
    @Test func removesByAnyName() throws {
        let mount = try mount(.file("low", "x"), .file("dir/in", "x"), .directory("empty"))
        try mount.write("up", "x")
        for name: ByteString in ["low", "up", "LOW", "Up"] { #expect(mount.exists(name)) }
        try mount.remove("LOW")
        try mount.remove("UP")
        for name: ByteString in ["low", "Low", "LOW", "up", "UP"] { #expect(!mount.exists(name), "\(name)") }
        #expect(throws: Errno.directoryNotEmpty) { try mount.root().removeDirectory("DIR") }
        #expect(mount.exists("empty"))
        try mount.root().removeDirectory("EMPTY")
        #expect(try !mount.exists("empty") && mount.list(".") == ["dir"])
        // Made anew, under the name that is wanted now.
        try mount.write("LOW", "new")
        #expect(try mount.read("low") == "new" && mount.list(".") == ["LOW", "dir"])
    }

    @Test func renames() throws {
        let mount = try mount(.file("a", "a"), .file("Target", "old"), .file("Dir/in", "in"))
        for name: ByteString in ["Target", "TARGET", "dir/IN"] { #expect(mount.exists(name)) }
        // Over another spelling: that one keeps its name.
        try mount.root().rename("A", to: mount.root(), "TARGET")
        #expect(try mount.read("target") == "a" && mount.read("Target") == "a")
        #expect(try mount.list(".") == ["Dir", "Target"] && !mount.exists("a"))
        try mount.root().rename("DIR", to: mount.root(), "moved")
        #expect(try mount.read("MOVED/In") == "in" && !mount.exists("Dir") && !mount.exists("dir/in"))
        // Another case of its own name is the file itself: nothing happens.
        try mount.root().rename("moved", to: mount.root(), "MOVED")
        #expect(try mount.list(".") == ["Target", "moved"])
        #expect(throws: Errno.fileExists) {
            try mount.root().rename("moved", to: mount.root(), "target", flags: RenameFlag.noReplace)
        }
    }

    /// What a shell does: walks, globs and links.
    @Test func inAShell() throws {
        let mount = try mount(.directory("Program Files"), .file("Program Files/App.exe", "app"))
        let script = """
            cd 'PROGRAM FILES'; cat app.EXE; echo; ls; ln App.exe second; rm APP.EXE; ls
            cat App.exe 2>/dev/null || echo gone; cat SECOND; echo
            for n in 1 2 3; do echo $n > File$n; done; cat FILE1 file2 fILE3; rm -r ../"program files"; ls -A ..
            """
        #expect(
            try mount.shell(script) == [
                "app", "App.exe", "second", "gone", "app", "1", "2", "3",
            ])
    }
}
