// O_TMPFILE: files without a name, and giving them one.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct TemporaryFileTests {
    @Test func holdsDataWithoutAName() throws {
        let mount = try MountedSandbox([.file("d/f", "f")])
        let file = try mount.open("d", OpenFlag.temporary | O_RDWR, permissions: 0o640)
        try file.writeAll(Array("hello".utf8))
        #expect(try file.readBytes(at: 0, count: 9) == Array("hello".utf8))
        let status = try file.status()
        #expect(status.linkCount == 0)
        #expect(status.size == 5)
        #expect(status.mode == FileType.regular.rawValue | 0o640)
        #expect(try mount.list("d") == ["f"])
        try file.truncate(to: 2)
        try file.setPermissions(0o600)
        #expect(try file.status().size == 2)
    }

    @Test func getsANameByLinkat() throws {
        let mount = try MountedSandbox([.file("d/f", "f"), .directory("e")])
        let inode: UInt64
        do {
            let file = try mount.open("d", OpenFlag.temporary | O_RDWR, permissions: 0o644)
            try file.writeAll(Array("one".utf8))
            inode = try file.status().inode
            try file.linkOpenFile(to: mount.root(), "e/named")
            #expect(try file.status().linkCount == 1)
            try file.writeAll(Array("+".utf8))
            try mount.link("e/named", to: "d/again")
            #expect(throws: Errno.fileExists) { try file.linkOpenFile(to: mount.root(), "d/f") }
        }
        for _ in 0..<2 {
            #expect(try mount.read("e/named") == "one+")
            #expect(try mount.read("d/again") == "one+")
            #expect(try mount.status("e/named").inode == inode)
            #expect(try mount.status("e/named").linkCount == 2)
            try mount.remount()
        }
    }

    @Test func getsANameByEmptyPathAndOverAWhiteout() throws {
        let mount = try MountedSandbox([.file("d/f", "old")])
        let file = try mount.open("d", OpenFlag.temporary | O_WRONLY, permissions: 0o644)
        try file.writeAll(Array("new".utf8))
        try mount.remove("d/f")
        let root = try mount.root()
        // AT_EMPTY_PATH
        #expect(unsafe linkat(file.rawValue, "", root.rawValue, "d/f", 0x1000) == 0)
        #expect(try mount.read("d/f") == "new")
    }

    @Test func exclusiveOnesNeverGetAName() throws {
        let mount = try MountedSandbox([.file("d/f", "f")])
        let file = try mount.open("d", OpenFlag.temporary | O_RDWR | O_EXCL, permissions: 0o644)
        #expect(throws: Errno.noSuchFileOrDirectory) { try file.linkOpenFile(to: mount.root(), "d/x") }
        #expect(try mount.list("d") == ["f"])
    }

    @Test func nothingIsLeftBehind() throws {
        let mount = try MountedSandbox([.file("d/f", "f")])
        for _ in 0..<50 { _ = try mount.open("d", OpenFlag.temporary | O_RDWR, permissions: 0o644) }
        try mount.remount()
        let work = try Descriptor.open(mount.sandbox.appending("work"), O_RDONLY | O_DIRECTORY)
        #expect(try work.entries().isEmpty)
        let upper = try Descriptor.open(mount.sandbox.appending("upper"), O_RDONLY | O_DIRECTORY)
        // The directory was not copied up either.
        #expect(try upper.entries().isEmpty)
    }

    @Test func refusedWhereNothingMayBeMade() throws {
        let mount = try MountedSandbox([.file("d/f", "f")], readOnly: true)
        #expect(throws: Errno.readOnlyFileSystem) {
            _ = try mount.open("d", OpenFlag.temporary | O_RDWR, permissions: 0o644)
        }
    }
}
