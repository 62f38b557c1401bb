// POSIX ACLs: enforced for users and groups, inherited, in step with the mode bits, in
// the sandbox and in the layers.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct AccessControlListTests {
    private static let none = UInt32.max

    /// An ACL as an xattr holds it: (tag, permissions, id).
    private static func list(_ entries: [(UInt16, UInt16, UInt32)]) -> [UInt8] {
        entries.reduce(into: [2, 0, 0, 0]) { bytes, entry in
            bytes += [UInt8(entry.0), 0, UInt8(entry.1), 0]
            for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: entry.2 >> UInt32(shift))) }
        }
    }

    /// Owner rw, user 1000 rw, group none, mask rw, others none.
    private static let userList = list([
        (1, 6, none), (2, 6, 1_000), (4, 0, none), (16, 6, none), (32, 0, none),
    ])
    /// Owner rwx, group 2000 r-x, group none, mask rwx, others none.
    private static let groupList = list([
        (1, 7, none), (4, 0, none), (8, 5, 2_000), (16, 7, none), (32, 0, none),
    ])

    private static func access(_ value: [UInt8]) -> [ExtendedAttribute] {
        [ExtendedAttribute(name: "system.posix_acl_access", value: value)]
    }

    private static func directory(
        _ path: ByteString, _ permissions: UInt32, _ name: ByteString, _ value: [UInt8]
    ) -> FixtureEntry {
        var entry = FixtureEntry.directory(path, permissions)
        entry.entry.extendedAttributes = [ExtendedAttribute(name: name, value: value)]
        return entry
    }

    @Test func theLayersListsAreEnforced() throws {
        let mount = try MountedSandbox([
            .file("f", "secret", 0o660, attributes: Self.access(Self.userList)),
            Self.directory("d", 0o770, "system.posix_acl_access", Self.groupList), .file("d/f", "in d"),
        ])
        let script = "cat f; cat d/f; echo + >> f"
        for _ in 0..<2 {
            #expect(try mount.shell("cat f", uid: 1_000, gid: 1_000) == ["secret"])
            #expect(
                try mount.shell(script, uid: 1_001, gid: 1_001).filter { $0.hasSuffix("denied") }.count == 3)
            #expect(try mount.shell("cat d/f", uid: 1_001, gid: 1_001, groups: [2_000]) == ["in d"])
            #expect(try mount.shell("cat d/f", uid: 1_001, gid: 2_000) == ["in d"])
            #expect(try mount.shell("touch d/x", uid: 1_001, gid: 2_000).last == "failed")
            // The same in the sandbox.
            try mount.root().setTimes(of: "f", atime: .now, mtime: .now)
            try mount.root().setTimes(of: "d", atime: .now, mtime: .now)
            try mount.root().setTimes(of: "d/f", atime: .now, mtime: .now)
        }
        #expect(try mount.shell("echo + >> f; cat f", uid: 1_000, gid: 1_000) == ["secret+"])
    }

    @Test func setfaclAndChmodAgree() throws {
        let mount = try MountedSandbox([.file("f", "f", 0o640)])
        #expect(try mount.shell("setfacl -m u:1000:rwx f && stat -c %a f") == ["670"])
        #expect(try mount.shell("cat f", uid: 1_000, gid: 1_000) == ["f"])
        #expect(try mount.shell("cat f", uid: 1_001, gid: 1_001).last == "failed")
        try mount.root().setPermissions(of: "f", 0o600)
        #expect(
            try mount.shell("getfacl -ncE f | grep -v '^$'") == [
                "user::rw-", "user:1000:rwx", "group::r--", "mask::---", "other::---",
            ])
        #expect(try mount.shell("cat f", uid: 1_000, gid: 1_000).last == "failed")
        #expect(try mount.shell("setfacl -b f && stat -c %a f && getfacl -cs f") == ["600"])
        try mount.remount()
        #expect(try mount.status("f").mode & 0o777 == 0o600)
    }

    @Test func defaultListsTakeTheUmasksPlace() throws {
        let mount = try MountedSandbox([
            Self.directory("low", 0o777, "system.posix_acl_default", Self.groupList), .directory("up", 0o777),
            .file("low/gone", "x"), .file("low/dir/x", "x"),
        ])
        let value = try mount.open("low", O_RDONLY).extendedAttribute("system.posix_acl_default")
        try mount.open("up", O_RDONLY).setExtendedAttribute("system.posix_acl_default", value.raw)
        try mount.root().removeTree("low/dir")
        try mount.remove("low/gone")
        let make =
            "umask 077; touch f gone; mkdir d dir; mkfifo p; ln -s x l; stat -c '%a %n' f gone d dir p l"
        let modes = ["660 f", "660 gone", "770 d", "770 dir", "660 p", "777 l"]
        for directory in ["low", "up"] {
            #expect(try mount.shell("cd \(directory); \(make)", uid: 1_000, gid: 1_000) == modes)
            let path = ByteString(directory)
            let inherited = try mount.open(path.appending("d"), O_RDONLY)
            #expect(try inherited.extendedAttribute("system.posix_acl_default") == value)
            #expect(try inherited.extendedAttribute("system.posix_acl_access") == Self.groupList)
            let made = Self.list([
                (1, 6, Self.none), (4, 0, Self.none), (8, 5, 2_000), (16, 6, Self.none), (32, 0, Self.none),
            ])
            #expect(
                try mount.open(path.appending("f"), O_RDONLY).extendedAttribute("system.posix_acl_access")
                    == made)
            #expect(try mount.status(path.appending("gone")).uid == 1_000)
            let temporary = try mount.open(path, OpenFlag.temporary | O_RDWR, permissions: 0o666)
            #expect(try temporary.extendedAttribute("system.posix_acl_access") == made)
        }
        try mount.remount()
        #expect(try mount.open("low/d", O_RDONLY).extendedAttribute("system.posix_acl_default") == value)
        #expect(throws: Errno.noData) {
            try mount.open("low/f", O_RDONLY).extendedAttribute("system.posix_acl_default")
        }
    }

    @Test func withoutADefaultListTheUmaskCounts() throws {
        let mount = try MountedSandbox([.directory("d", 0o777)])
        let script = "cd d; umask 027; touch f; mkdir s; mkfifo p; stat -c %a f s p"
        #expect(try mount.shell(script, uid: 1_000, gid: 1_000) == ["640", "750", "640"])
    }

    @Test func aListOfAnotherGroupClearsSetgid() throws {
        let mount = try MountedSandbox([.file("f", "f", 0o2770, uid: 1_000), .directory("d")])
        try mount.root().setOwner(of: "f", uid: 1_000, gid: 2_000)
        try mount.root().setPermissions(of: "f", 0o2770)
        #expect(
            try mount.shell("setfacl -m u:5:r f; stat -c %a f", uid: 1_000, gid: 1_000, groups: [2_000])
                == ["2770"])
        #expect(try mount.shell("setfacl -m u:6:r f; stat -c %a f", uid: 1_000, gid: 1_000) == ["770"])
    }

    @Test func damagedListsOfALayerCountAsNone() throws {
        let mount = try MountedSandbox([.file("f", "f", attributes: Self.access([2, 0, 0, 0, 1, 2, 3]))])
        #expect(try mount.shell("cat f", uid: 1_000, gid: 1_000) == ["f"])
        try mount.append("f", "+")
        #expect(try mount.read("f") == "f+")
    }
}
