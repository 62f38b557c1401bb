// Setuid and setgid bits and capabilities go away as on ext4, and groups come as they should.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct PrivilegeTests {
    /// A file of user 1000 and group 1000 that both may write, setuid and setgid.
    private static let layer: [FixtureEntry] = [.file("f", "some text", 0o6775, uid: 1_000)]

    @Test(arguments: ["echo x >> f", ": > f", "truncate -s 3 f", "fallocate -l 20 f", "cp /etc/passwd f"])
    func anybodyElsesChangeClears(_ change: String) throws {
        let mount = try MountedSandbox(Self.layer)
        for _ in 0..<2 {
            #expect(
                try mount.shell(
                    "stat -c %a f; \(change); stat -c %a f", uid: 1_001, gid: 1_001, groups: [1_000]) == [
                        "6775", "775",
                    ])
            try mount.remount()
            #expect(try mount.status("f").mode & 0o7777 == 0o775)
            try mount.root().setPermissions(of: "f", 0o6775)
        }
        // Without group execution, setgid is a mark of its own.
        try mount.root().setPermissions(of: "f", 0o6765)
        #expect(
            try mount.shell("\(change); stat -c %a f", uid: 1_001, gid: 1_001, groups: [1_000]) == ["2765"])
    }

    @Test(arguments: ["echo x >> f", ": > f", "truncate -s 3 f", "fallocate -l 20 f"])
    func rootsChangeDoesNot(_ change: String) throws {
        let mount = try MountedSandbox(Self.layer)
        #expect(try mount.shell("\(change); stat -c %a f") == ["6775"])
        try mount.remount()
        #expect(try mount.status("f").mode & 0o7777 == 0o6775)
        let dropped = "setpriv --bounding-set -fsetid --inh-caps -fsetid sh -c '\(change)'; stat -c %a f"
        #expect(try mount.shell(dropped) == ["775"])
    }

    @Test func chownClearsForEverybody() throws {
        let mount = try MountedSandbox(Self.layer)
        #expect(try mount.shell("chown 5 f; stat -c %a f") == ["775"])
        try mount.root().setPermissions(of: "f", 0o6775)
        try mount.remount()
        #expect(try mount.shell("chgrp 6 f; stat -c %a f") == ["775"])
    }

    @Test(arguments: ["echo x >> f", ": > f", "truncate -s 3 f", "chown 5 f"])
    func everyChangeDropsCapabilities(_ change: String) throws {
        // Version 2 with CAP_NET_RAW, effective.
        let value: [UInt8] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let capability = ExtendedAttribute(name: "security.capability", value: value)
        let mount = try MountedSandbox([.file("f", "text", 0o755, attributes: [capability])])
        #expect(try mount.open("f", O_RDONLY).extendedAttribute("security.capability") == value)
        _ = try mount.shell("chmod 711 f")
        #expect(try mount.open("f", O_RDONLY).extendedAttribute("security.capability") == value)
        #expect(try mount.shell(change) == [])
        #expect(throws: Errno.noData) {
            try mount.open("f", O_RDONLY).extendedAttribute("security.capability")
        }
    }

    @Test func setuidProgramsWork() throws {
        let mount = try MountedSandbox([.directory("bin")])
        #expect(try mount.shell("cp /usr/bin/id bin/id; chown 1000:1000 bin/id; chmod 4755 bin/id") == [])
        #expect(try mount.shell("bin/id -u", uid: 1_001, gid: 1_001) == ["1000"])
    }

    @Test func groupsOfNewFiles() throws {
        let mount = try MountedSandbox([.directory("shared", 0o2777, uid: 50), .directory("open", 0o1777)])
        let script = "touch shared/f open/f; mkdir shared/d open/d; mkfifo shared/p; ln -s x shared/l"
        #expect(try mount.shell(script, uid: 1_000, gid: 1_000, groups: [50]) == [])
        for name: ByteString in ["shared/f", "shared/d", "shared/p", "shared/l"] {
            #expect(try mount.status(name).gid == 50)
            #expect(try mount.status(name).uid == 1_000)
        }
        #expect(try mount.status("open/d").gid == 1_000)
        #expect(try mount.status("shared/d").mode & 0o7777 == 0o2755)
        // Setgid of a group that the maker is not in is taken away, as inode(7) has it.
        let masked = "umask 0; perl -e 'sysopen(F, shift, 0101, 02775)' shared/s; stat -c '%a %g' shared/s"
        #expect(try mount.shell(masked, uid: 1_000, gid: 1_000) == ["775 50"])
        #expect(
            try mount.shell(masked.replacingName(), uid: 1_000, gid: 1_000, groups: [50]) == ["2775 50"])
        #expect(try mount.shell("rm -f open/f", uid: 1_001, gid: 1_001).last == "failed")
        #expect(try mount.shell("mv open/f open/g", uid: 1_001, gid: 1_001).last == "failed")
    }

    @Test func birthTimes() throws {
        let mount = try MountedSandbox([.file("low", "x")])
        try mount.write("up", "x")
        #expect(try mount.shell("stat -c %W low") == ["0"])
        let birth = try mount.shell("stat -c %W up; touch -d @5 up; stat -c %W up")
        #expect(birth.count == 2 && birth[0] == birth[1])
        #expect(Int(birth[0]) ?? 0 > 1_600_000_000)
    }
}

extension String {
    /// The same command with another file.
    fileprivate func replacingName() -> String {
        split(separator: "shared/s").joined(separator: "shared/t") + "shared/t"
    }
}
