// RENAME_EXCHANGE and RENAME_WHITEOUT, between all kinds of nodes and both halves.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct ExchangeTests {
    /// What stands at a name, whatever it is.
    private static func describe(_ mount: MountedSandbox, _ name: ByteString) throws -> String {
        let status = try mount.status(name)
        switch status.type {
        case .directory:
            return "directory " + (try mount.list(name).map(\.description).joined(separator: ","))
        case .symlink: return "symlink " + (try mount.root().readLink(name)).description
        default: return "file " + (try mount.read(name))
        }
    }

    @Test func everyKindWithEveryKind() throws {
        let mount = try MountedSandbox([
            .file("low/file", "lower file"), .file("low/dir/inside", "x"), .symlink("low/link", "lower"),
            .file("low/merged/a", "a"), .file("low/changed", "old"), .directory("far"),
        ])
        try mount.write("low/merged/b", "b")
        try mount.append("low/changed", "+")
        try mount.write("far/file", "upper file")
        try mount.makeDirectory("far/dir")
        try mount.write("far/dir/born", "y")
        try mount.root().makeSymlink("far/link", target: "upper")
        let names: [ByteString] = [
            "low/file", "low/dir", "low/link", "low/merged", "low/changed", "far/file", "far/dir", "far/link",
        ]
        var expected: [ByteString: String] = [:]
        var inodes: [ByteString: UInt64] = [:]
        for name in names {
            expected[name] = try Self.describe(mount, name)
            inodes[name] = try mount.status(name).inode
        }
        for first in names {
            for second in names where first != second {
                try mount.rename(first, to: second, flags: RenameFlag.exchange)
                (expected[first], expected[second]) = (expected[second], expected[first])
                (inodes[first], inodes[second]) = (inodes[second], inodes[first])
                #expect(try Self.describe(mount, first) == expected[first])
                #expect(try Self.describe(mount, second) == expected[second])
            }
            try mount.remount()
            for name in names {
                #expect(try Self.describe(mount, name) == expected[name], "\(name) after \(first)")
                if try mount.status(name).inode < 1 << 32 {
                    #expect(try mount.status(name).inode == inodes[name])
                }
            }
        }
        #expect(try mount.list("low") == ["changed", "dir", "file", "link", "merged"])
        #expect(try mount.list("far") == ["dir", "file", "link"])
    }

    @Test func whatLiesBelowIsNotUncovered() throws {
        let mount = try MountedSandbox([.file("d/a", "a"), .file("e/b", "b"), .file("f", "f")])
        try mount.rename("d", to: "f", flags: RenameFlag.exchange)
        #expect(try mount.read("d") == "f")
        #expect(try mount.list("f") == ["a"])
        try mount.makeDirectory("new")
        try mount.rename("new", to: "e", flags: RenameFlag.exchange)
        for _ in 0..<2 {
            #expect(try mount.list("e") == [])
            #expect(try mount.list("new") == ["b"])
            try mount.remount()
        }
        try mount.root().removeTree("new")
        try mount.root().removeTree("e")
        try mount.remove("d")
        try mount.remount()
        #expect(try mount.list("") == ["f"])
    }

    @Test func refusals() throws {
        let mount = try MountedSandbox([.file("d/e/f", "f"), .file("g", "g")])
        for name: ByteString in ["d/e", "d/e/f"] {
            #expect(throws: Errno.invalidArgument) {
                try mount.rename("d", to: name, flags: RenameFlag.exchange)
            }
            #expect(throws: Errno.invalidArgument) {
                try mount.rename(name, to: "d", flags: RenameFlag.exchange)
            }
        }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try mount.rename("g", to: "none", flags: RenameFlag.exchange)
        }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try mount.rename("none", to: "g", flags: RenameFlag.exchange)
        }
        #expect(throws: Errno.invalidArgument) {
            try mount.rename("g", to: "d", flags: RenameFlag.exchange | RenameFlag.noReplace)
        }
        #expect(throws: Errno.invalidArgument) {
            try mount.rename("g", to: "h", flags: RenameFlag.whiteout)
        }
        #expect(try mount.read("g") == "g")
    }

    @Test func openFilesAndHardLinksFollow() throws {
        let mount = try MountedSandbox([.file("a", "a"), .hardLink("a2", "a"), .file("b", "b")])
        let file = try mount.open("a", O_RDWR)
        try mount.rename("a", to: "b", flags: RenameFlag.exchange)
        try file.writeAll(Array("A".utf8))
        #expect(try mount.read("b") == "A")
        #expect(try mount.read("a2") == "A")
        #expect(try mount.read("a") == "b")
        #expect(try mount.status("a2").inode == mount.status("b").inode)
        #expect(try mount.status("b").linkCount == 2)
        // Two names of one file: nothing to do, and both stay.
        try mount.rename("a2", to: "b", flags: RenameFlag.exchange)
        #expect(try mount.list("") == ["a", "a2", "b"])
    }
}
