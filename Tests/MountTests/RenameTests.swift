// Renames: files and directories of layers and sandbox, over each other and over what
// was removed.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct RenameTests {
    @Test func lowerFile() throws {
        let mount = try MountedSandbox([.file("d/f", "f"), .file("e/g", "g")])
        let inode = try mount.status("d/f").inode
        try mount.rename("d/f", to: "e/g")
        for _ in 0..<2 {
            #expect(try mount.read("e/g") == "f")
            #expect(try mount.list("d") == [])
            #expect(try mount.status("e/g").inode == inode)
            try mount.remount()
        }
        try mount.rename("e/g", to: "d/f")
        try mount.remount()
        #expect(try mount.list("e") == [])
        #expect(try mount.read("d/f") == "f")
    }

    @Test func lowerDirectory() throws {
        let mount = try MountedSandbox(
            [.file("d/sub/f", "f"), .file("d/g", "g"), .directory("to")], [.file("d/sub/h", "h")])
        let inode = try mount.status("d").inode
        try mount.rename("d", to: "to/moved")
        for _ in 0..<2 {
            #expect(!mount.exists("d"))
            #expect(try mount.list("to/moved") == ["g", "sub"])
            #expect(try mount.list("to/moved/sub") == ["f", "h"])
            #expect(try mount.read("to/moved/sub/f") == "f")
            #expect(try mount.status("to/moved").inode == inode)
            try mount.remount()
        }
        try mount.append("to/moved/sub/f", "+")
        try mount.remove("to/moved/g")
        try mount.makeDirectory("d")
        try mount.rename("to/moved/sub", to: "d/sub")
        try mount.remount()
        #expect(try mount.list("d") == ["sub"])
        #expect(try mount.read("d/sub/f") == "f+")
        #expect(try mount.list("to/moved") == [])
    }

    @Test func openFilesFollow() throws {
        let mount = try MountedSandbox([.file("d/f", "f")])
        let file = try mount.open("d/f", O_RDWR)
        try mount.rename("d", to: "e")
        try file.writeAll(Array("F".utf8))
        #expect(try mount.read("e/f") == "F")
        try file.setPermissions(0o601)
        #expect(try mount.status("e/f").mode & 0o777 == 0o601)
    }

    @Test func directoryOverEmptyDirectory() throws {
        let mount = try MountedSandbox([.file("a/f", "f"), .file("b/x", "x"), .directory("c")])
        #expect(throws: Errno.directoryNotEmpty) { try mount.rename("a", to: "b") }
        try mount.remove("b/x")
        try mount.rename("a", to: "b")
        try mount.makeDirectory("new")
        try mount.rename("new", to: "c")
        try mount.remount()
        #expect(try mount.list("") == ["b", "c"])
        #expect(try mount.list("b") == ["f"])
        #expect(try mount.list("c") == [])
    }

    @Test func directoryOverAWhiteout() throws {
        let mount = try MountedSandbox([.file("a/f", "f"), .file("gone/x", "x"), .directory("d")])
        try mount.root().removeTree("gone")
        try mount.rename("a", to: "gone")
        try mount.remount()
        #expect(try mount.list("gone") == ["f"])
        #expect(!mount.exists("a"))
        try mount.makeDirectory("fresh")
        try mount.write("fresh/y", "y")
        try mount.root().removeTree("d")
        try mount.rename("fresh", to: "d")
        try mount.remount()
        #expect(try mount.list("d") == ["y"])
        #expect(!mount.exists("fresh"))
    }

    @Test func refusals() throws {
        let mount = try MountedSandbox([.file("f", "f"), .file("g", "g"), .directory("d")])
        #expect(throws: Errno.fileExists) { try mount.rename("f", to: "g", flags: RenameFlag.noReplace) }
        #expect(throws: Errno.isDirectory) { try mount.rename("f", to: "d") }
        #expect(throws: Errno.notDirectory) { try mount.rename("d", to: "f") }
        #expect(throws: Errno.noSuchFileOrDirectory) { try mount.rename("none", to: "x") }
        try mount.rename("f", to: "h", flags: RenameFlag.noReplace)
        #expect(try mount.read("h") == "f")
    }
}
