// Open files whose names change or go away, locks between processes, and programs that
// are replaced while they run.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct OpenFileTests {
    @Test(arguments: [true, false])
    func unlinkedFilesGoOn(_ copied: Bool) throws {
        let mount = try MountedSandbox([.file("d/f", "text")])
        if copied { try mount.append("d/f", ""); try mount.root().setPermissions(of: "d/f", 0o600) }
        let file = try mount.open("d/f", O_RDWR)
        let reader = try mount.open("d/f", O_RDONLY)
        let inode = try file.status().inode
        try mount.remove("d/f")
        #expect(try file.status().linkCount == 0)
        #expect(try reader.readAll(limit: 99) == Array("text".utf8))
        try file.writeAll(Array("more text".utf8))
        #expect(try reader.readAll(limit: 99) == Array("more text".utf8))
        try file.truncate(to: 4)
        try file.setPermissions(0o611)
        #expect(try reader.status().mode & 0o777 == 0o611)
        #expect(try reader.status().inode == inode)
        // A file without names gets none, as on ext4.
        #expect(throws: Errno.noSuchFileOrDirectory) { try file.linkOpenFile(to: mount.root(), "d/back") }
        try mount.write("d/f", "other")
        #expect(try reader.readAll(limit: 99) == Array("more".utf8))
        #expect(try mount.status("d/f").inode != inode)
    }

    @Test func readersOfAnUnlinkedLowerFile() throws {
        let mount = try MountedSandbox([.file("f", "text")])
        let reader = try mount.open("f", O_RDONLY)
        try mount.remove("f")
        #expect(try reader.status().linkCount == 0)
        #expect(try reader.readAll(limit: 99) == Array("text".utf8))
        try reader.setPermissions(0o600)
        #expect(try reader.status().mode & 0o777 == 0o600)
    }

    @Test func removedDirectoriesStayOpen() throws {
        let mount = try MountedSandbox([.directory("low"), .directory("x")])
        try mount.makeDirectory("up")
        for name: ByteString in ["low", "up"] {
            let directory = try mount.open(name, O_RDONLY | O_DIRECTORY)
            try mount.removeDirectory(name)
            #expect(try directory.status().linkCount == 0)
            #expect(throws: Errno.noSuchFileOrDirectory) { try directory.entries() }
            #expect(throws: Errno.noSuchFileOrDirectory) {
                try directory.makeDirectory("inside", permissions: 0o755)
            }
            #expect(throws: Errno.noSuchFileOrDirectory) {
                _ = try directory.open(".", OpenFlag.temporary | O_RDWR, permissions: 0o600)
            }
        }
    }

    @Test func locksHoldBetweenProcesses() throws {
        let mount = try MountedSandbox([.file("low", "x"), .file("copied", "x"), .file("d/x", "x")])
        try mount.write("up", "x")
        for name in ["low", "up", "copied"] {
            let file = try mount.open(ByteString(name), O_RDONLY)
            try file.lock(exclusive: true)
            // The copy-up in between changes nothing.
            if name == "copied" { try mount.append("copied", "+") }
            #expect(try mount.shell("flock -n \(name) true || echo locked") == ["locked"])
            try file.unlock()
            #expect(try mount.shell("flock -n \(name) true || echo locked") == [])
        }
        // POSIX and open-file-description locks, taken and tested by two processes.
        let script = """
            use Fcntl qw(:DEFAULT :flock); my ($name, $set, $get) = @ARGV;
            sysopen(my $f, $name, O_RDWR) or die; my $lock = pack('s s l! l! i', F_WRLCK, 0, 0, 0, 0);
            sub take { my $l = $lock; return fcntl($_[0], $set, $l) } take($f) or die "lock: $!";
            my $pid = fork(); if (!$pid) { sysopen(my $g, $name, O_RDWR) or die;
            print take($g) ? "taken\\n" : "locked\\n"; exit 0 } waitpid($pid, 0);
            """
        try mount.write("locks.pl", script)
        for name in ["low", "up", "copied"] {
            #expect(try mount.shell("perl locks.pl \(name) 6") == ["locked"])
            #expect(try mount.shell("perl locks.pl \(name) 37") == ["locked"])
        }
    }

    @Test func manyAppendersLoseNothing() throws {
        let mount = try MountedSandbox([.file("log", "")])
        let line =
            "for i in 1 2 3 4 5 6 7 8; do (for j in $(seq 200); do echo $i.$j >> log; done) & done; wait"
        #expect(try mount.shell(line) == [])
        #expect(try mount.shell("sort -u log | wc -l; wc -l < log") == ["1600", "1600"])
    }

    @Test func runningProgramsAreBusyAndReplaceable() throws {
        let program = try Descriptor.open("/bin/sleep", O_RDONLY).readAll(limit: 1 << 20)
        let mount = try MountedSandbox([.file("low", bytes: program, 0o755)])
        try mount.shell("cp low up").forEach { Issue.record("\($0)") }
        for name in ["low", "up"] {
            let script = """
                ./\(name) 20 & p=$!; while ! readlink /proc/$p/exe | grep -q \(name)$; do sleep 0.01; done
                (echo x >> \(name)) 2>&1 | grep -o busy; cp low new && mv new \(name) && echo replaced; kill -9 $p
                """
            #expect(try mount.shell(script).prefix(2) == ["busy", "replaced"])
        }
    }
}
