// Attributes and xattrs on a real mount.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct AttributeTests {
    @Test func changesAttributes() throws {
        let mount = try MountedSandbox([.file("f", "f"), .directory("d"), .symlink("l", "f")])
        for name: ByteString in ["f", "d"] {
            try mount.root().setPermissions(of: name, 0o1711)
            try mount.root().setOwner(of: name, uid: 12, gid: 34)
            try mount.root().setTimes(
                of: name, atime: .set(Timestamp(seconds: 1, nanoseconds: 2)),
                mtime: .set(Timestamp(seconds: -3, nanoseconds: 4)))
        }
        try mount.root().setTimes(of: "l", atime: .keep, mtime: .set(Timestamp(seconds: 9)))
        for _ in 0..<2 {
            for name: ByteString in ["f", "d"] {
                let status = try mount.status(name)
                #expect(status.mode & 0o7777 == 0o1711)
                #expect(status.uid == 12 && status.gid == 34)
                #expect(status.mtime == Timestamp(seconds: -3, nanoseconds: 4))
            }
            #expect(try mount.status("l").mtime == Timestamp(seconds: 9))
            try mount.remount()
        }
    }

    @Test func extendedAttributes() throws {
        let lower = ExtendedAttribute(name: "user.lower", value: Array("1".utf8))
        let mount = try MountedSandbox([.file("f", "f", attributes: [lower]), .directory("d")])
        #expect(try mount.open("f", O_RDONLY).extendedAttributeNames() == ["user.lower"])
        #expect(try mount.open("f", O_RDONLY).extendedAttribute("user.lower") == [UInt8(ascii: "1")])
        let value = [UInt8](repeating: 8, count: 2_000)
        do {
            let file = try mount.open("f", O_RDONLY)
            try file.setExtendedAttribute("user.upper", value.raw)
            try file.setExtendedAttribute("trusted.mine", [1].raw)
            #expect(
                try file.extendedAttributeNames().sorted() == ["trusted.mine", "user.lower", "user.upper"])
            try file.removeExtendedAttribute("user.lower")
        }
        try mount.remount()
        let again = try mount.open("f", O_RDONLY)
        #expect(try again.extendedAttribute("user.upper") == value)
        #expect(throws: Errno.noData) { try again.extendedAttribute("user.lower") }
        #expect(throws: Errno.noData) { try again.removeExtendedAttribute("user.lower") }
    }

    @Test func keepsAccessControlLists() throws {
        let mount = try MountedSandbox([.file("f", "f")])
        // Version 2: owner rw-, user 1000 rwx, group r--, mask rwx, others r--.
        let list: [UInt8] =
            [2, 0, 0, 0] + [1, 0, 6, 0, 255, 255, 255, 255] + [2, 0, 7, 0, 232, 3, 0, 0]
            + [4, 0, 4, 0, 255, 255, 255, 255] + [16, 0, 7, 0, 255, 255, 255, 255]
            + [32, 0, 4, 0, 255, 255, 255, 255]
        try mount.open("f", O_RDONLY).setExtendedAttribute("system.posix_acl_access", list.raw)
        try mount.remount()
        #expect(try mount.open("f", O_RDONLY).extendedAttribute("system.posix_acl_access") == list)
    }

    @Test func aLowerFilesAccessTimeIsItsModificationTime() throws {
        let mount = try MountedSandbox([.file("f", "f")])
        _ = try mount.read("f")
        let status = try mount.status("f")
        #expect(status.atime == status.mtime)
        #expect(status.mtime == Timestamp(seconds: 1_600_000_000, nanoseconds: 123_456_789))
    }

    @Test func hidesTheUnionsOwn() throws {
        let mount = try MountedSandbox([.file("d/f", "f")])
        try mount.append("d/f", "g")
        let file = try mount.open("d/f", O_RDONLY)
        #expect(try file.extendedAttributeNames() == [])
        #expect(throws: Errno.noData) { try file.extendedAttribute("trusted.lamina.origin") }
        #expect(throws: Errno.notSupported) {
            try file.setExtendedAttribute("trusted.overlay.opaque", [UInt8(ascii: "y")].raw)
        }
        #expect(throws: Errno.notSupported) {
            try file.setExtendedAttribute("trusted.lamina.origin", [UInt8(ascii: "1")].raw)
        }
    }

    @Test func rootsWritesTakeTheCapabilityOnly() throws {
        let mount = try MountedSandbox([.file("f", "f", 0o6711)])
        // vfs_cap_data, revision 2: CAP_NET_RAW permitted.
        let value: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)
        try mount.open("f", O_RDONLY).setExtendedAttribute("security.capability", value.raw)
        try mount.append("f", "+")
        #expect(try mount.open("f", O_RDONLY).extendedAttributeNames() == [])
        #expect(try mount.status("f").mode & 0o7777 == 0o6711)
    }

    @Test func readOnlyMounts() throws {
        let mount = try MountedSandbox([.file("f", "f"), .directory("d")], readOnly: true)
        #expect(try mount.read("f") == "f")
        #expect(throws: Errno.readOnlyFileSystem) { try mount.append("f", "x") }
        #expect(throws: Errno.readOnlyFileSystem) { try mount.makeDirectory("x") }
        #expect(throws: Errno.readOnlyFileSystem) { try mount.remove("f") }
        #expect(throws: Errno.readOnlyFileSystem) { try mount.root().setPermissions(of: "f", 0o600) }
        #expect(try mount.list("") == ["d", "f"])
    }
}
