// Changing files of the layers: the sandbox gets a copy, the layers never change.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct CopyUpTests {
    static let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }

    @Test func writesIntoACopy() throws {
        let mount = try MountedSandbox([.file("d/f", "lower"), .file("e", "")])
        try mount.append("d/f", "+upper")
        try mount.append("e", "full")
        #expect(try mount.read("d/f") == "lower+upper")
        try mount.remount()
        #expect(try mount.read("d/f") == "lower+upper")
        #expect(try mount.read("e") == "full")
    }

    @Test func objectsNeverChange() throws {
        let digest = SHA256.digest(of: Self.large.raw)
        let mount = try MountedSandbox([.file("big", bytes: Self.large)])
        #expect(try mount.open("big", O_RDONLY).readAll(limit: 1 << 20) == Self.large)
        try mount.open("big", O_RDWR).writeAll([0, 0, 0, 0].raw, at: 100_000)
        var changed = Self.large
        changed.replaceSubrange(100_000..<100_004, with: [0, 0, 0, 0])
        #expect(try mount.open("big", O_RDONLY).readAll(limit: 1 << 20) == changed)
        let object = mount.store.path.appending(
            ByteString("objects/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))"))
        let bytes = try Descriptor.open(object, O_RDONLY).readAll(limit: 1 << 20)
        #expect(SHA256.digest(of: bytes.raw) == digest)
    }

    @Test func readerSeesWrites() throws {
        // A large file that the kernel reads by itself: `PassthroughTests`.
        let mount = try MountedSandbox(
            [.file("f", "before"), .file("big", bytes: Self.large)], options: ["--no-passthrough"])
        let reader = try mount.open("f", O_RDONLY)
        let bigReader = try mount.open("big", O_RDONLY)
        #expect(try reader.readBytes(at: 0, count: 10) == Array("before".utf8))
        try mount.open("f", O_WRONLY).writeAll(Array("AFTER!".utf8))
        try mount.open("big", O_WRONLY).writeAll([9, 9, 9].raw, at: 200_000)
        #expect(try reader.readBytes(at: 0, count: 10) == Array("AFTER!".utf8))
        #expect(try bigReader.readBytes(at: 200_000, count: 3) == [9, 9, 9])
    }

    @Test func inodeNumberStays() throws {
        let mount = try MountedSandbox([.file("d/f", "x"), .symlink("d/l", "f")])
        let before = try (mount.status("d/f").inode, mount.status("d").inode, mount.status("d/l").inode)
        try mount.append("d/f", "y")
        try mount.root().setOwner(of: "d/l", uid: 7, gid: 7)
        for _ in 0..<2 {
            let after = try (mount.status("d/f").inode, mount.status("d").inode, mount.status("d/l").inode)
            #expect(after == before)
            let listed = try mount.open("d", O_RDONLY | O_DIRECTORY).entries()
            #expect(listed.first { $0.name == "f" }?.inode == before.0)
            try mount.remount()
        }
    }

    @Test func keepsAttributesAndTheDirectoryTime() throws {
        let value = ExtendedAttribute(name: "user.note", value: [1, 2, 3])
        let mount = try MountedSandbox([
            .directory("d", 0o750, uid: 33), .file("d/f", "x", 0o4755, uid: 33, attributes: [value]),
        ])
        let directory = try mount.status("d")
        try mount.root().setTimes(of: "d/f", atime: .keep, mtime: .set(Timestamp(seconds: 5, nanoseconds: 6)))
        let file = try mount.status("d/f")
        #expect(file.mode & 0o7777 == 0o4755)
        #expect(file.uid == 33)
        #expect(file.mtime == Timestamp(seconds: 5, nanoseconds: 6))
        #expect(try mount.open("d/f", O_RDONLY).extendedAttribute("user.note") == [1, 2, 3])
        try mount.remount()
        #expect(try mount.status("d").mtime == directory.mtime)
        #expect(try mount.status("d").mode == directory.mode)
        #expect(try mount.status("d").uid == 33)
    }

    @Test func truncatingOpens() throws {
        let mount = try MountedSandbox([.file("big", bytes: Self.large), .file("cut", bytes: Self.large)])
        try mount.write("big", "short")
        #expect(try mount.read("big") == "short")
        try mount.open("cut", O_WRONLY).truncate(to: 100_001)
        #expect(try mount.open("cut", O_RDONLY).readAll(limit: 1 << 20) == Array(Self.large[..<100_001]))
    }

    @Test func truncatingTellsTheTime() throws {
        let mount = try MountedSandbox([.file("f", "long"), .file("g", "long")])
        let before = try mount.status("f").mtime
        try mount.open("f", OpenFlag.path).setPathSize(0)
        try mount.open("g", OpenFlag.path).setPathSize(2)
        #expect(try mount.status("f").mtime > before)
        #expect(try mount.status("g").mtime > before)
        #expect(try mount.read("g") == "lo")
        try mount.root().setTimes(of: "g", atime: .keep, mtime: .set(before))
        try mount.open("g", O_WRONLY).truncate(to: 2)
        #expect(try mount.status("g").mtime > before)
    }

    @Test func anUnlinkedOpenFileStays() throws {
        let mount = try MountedSandbox([.file("f", "still here")])
        let file = try mount.open("f", O_RDONLY)
        try mount.remove("f")
        #expect(try file.readBytes(at: 0, count: 100) == Array("still here".utf8))
        #expect(try file.status().linkCount == 0)
        try file.setPermissions(0o600)
        #expect(try file.status().mode & 0o777 == 0o600)
        #expect(!mount.exists("f"))
    }

    @Test func anUnlinkedCopyStays() throws {
        let mount = try MountedSandbox([.file("f", "one")])
        let file = try mount.open("f", O_RDWR)
        try mount.remove("f")
        try file.writeAll(Array("two!".utf8))
        let status = try file.status()
        #expect(status.linkCount == 0)
        #expect(status.size == 4)
        #expect(status.mtime.seconds > 1_700_000_000)
    }

    @Test func aRemovedDirectoryStaysOpen() throws {
        let mount = try MountedSandbox([.directory("d")])
        let directory = try mount.open("d", O_RDONLY | O_DIRECTORY)
        try mount.removeDirectory("d")
        try directory.setOwner(uid: 1, gid: 2)
        let status = try directory.status()
        #expect(status.uid == 1 && status.gid == 2)
        #expect(throws: Errno.noSuchFileOrDirectory) { try directory.entries() }
        #expect(!mount.exists("d"))
    }

    @Test func anUnlinkedUpperFileStays() throws {
        let mount = try MountedSandbox([.directory("d")])
        let file = try mount.open("d/f", O_RDWR | O_CREAT)
        try file.writeAll(Array("one".utf8))
        try mount.remove("d/f")
        try mount.write("d/f", "another")
        try file.writeAll(Array("two".utf8))
        #expect(try file.readBytes(at: 0, count: 100) == Array("onetwo".utf8))
        try file.setPermissions(0o640)
        #expect(try file.status().linkCount == 0)
        #expect(try mount.read("d/f") == "another")
    }
}
