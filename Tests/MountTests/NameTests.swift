// Names on a real mount: listing, making and removing, in layers and sandbox together.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct NameTests {
    @Test func mergesLayers() throws {
        let mount = try MountedSandbox(
            [
                .directory("d"), .file("d/low", "low"), .file("d/hidden", "x"), .file("o/gone", "x"),
                .file("same", "1"),
            ],
            [
                .whiteout("d", "hidden"), .opaque("o"), .file("o/new", "n"), .file("d/high", "high"),
                .file("same", "2"),
            ])
        #expect(try mount.list("d") == ["high", "low"])
        #expect(try mount.list("o") == ["new"])
        #expect(try mount.read("same") == "2")
        #expect(try mount.read("d/low") == "low")
        #expect(!mount.exists("d/hidden"))
        #expect(!mount.exists("o/gone"))
    }

    @Test func listsLayersAndSandboxTogether() throws {
        let mount = try MountedSandbox([.file("d/a", "a"), .file("d/b", "b")])
        try mount.write("d/c", "c")
        try mount.remove("d/a")
        #expect(try mount.list("d") == ["b", "c"])
        try mount.remount()
        #expect(try mount.list("d") == ["b", "c"])
        #expect(throws: Errno.noSuchFileOrDirectory) { try mount.read("d/a") }
    }

    @Test func makesEveryType() throws {
        let mount = try MountedSandbox([.directory("d")])
        try mount.root().makeDirectory("d/dir", permissions: 0o751)
        try mount.root().makeSymlink("d/link", target: "../somewhere")
        try mount.root().makeNode("d/fifo", mode: FileType.fifo.rawValue | 0o640, device: .zero)
        try mount.root().makeNode(
            "d/null", mode: FileType.characterDevice.rawValue | 0o666,
            device: DeviceNumber(major: 1, minor: 3))
        try mount.write("d/file", "x")
        for _ in 0..<2 {
            #expect(try mount.status("d/dir").mode == FileType.directory.rawValue | 0o751)
            #expect(try mount.root().readLink("d/link") == "../somewhere")
            #expect(try mount.status("d/fifo").mode == FileType.fifo.rawValue | 0o640)
            #expect(try mount.status("d/null").namedDevice == DeviceNumber(major: 1, minor: 3))
            try mount.open("d/null", O_WRONLY).writeAll([1, 2, 3])
            try mount.remount()
        }
    }

    @Test func refusesWhiteoutDevices() throws {
        let mount = try MountedSandbox([.directory("d")])
        #expect(throws: Errno.notPermitted) {
            try mount.root().makeNode("d/w", mode: FileType.characterDevice.rawValue, device: .zero)
        }
    }

    @Test func aRemovedDirectoryComesBackEmpty() throws {
        let mount = try MountedSandbox([.file("d/sub/a", "a"), .file("d/b", "b")])
        #expect(throws: Errno.directoryNotEmpty) { try mount.removeDirectory("d") }
        try mount.root().removeTree("d")
        #expect(!mount.exists("d"))
        try mount.makeDirectory("d")
        #expect(try mount.list("d") == [])
        try mount.remount()
        #expect(try mount.list("d") == [])
        try mount.removeDirectory("d")
        try mount.remount()
        #expect(try mount.list("") == [])
    }

    @Test func aFileReplacesARemovedDirectoryAndBack() throws {
        let mount = try MountedSandbox([.file("d/a", "a"), .file("f", "f")])
        try mount.root().removeTree("d")
        try mount.write("d", "now a file")
        try mount.remove("f")
        try mount.makeDirectory("f")
        try mount.remount()
        #expect(try mount.read("d") == "now a file")
        #expect(try mount.list("f") == [])
    }

    @Test func refusesWhatIsThere() throws {
        let mount = try MountedSandbox([.file("f", "f"), .directory("d")])
        #expect(throws: Errno.fileExists) { try mount.makeDirectory("f") }
        #expect(throws: Errno.fileExists) { _ = try mount.open("f", O_WRONLY | O_CREAT | O_EXCL) }
        #expect(throws: Errno.fileExists) { try mount.link("f", to: "d") }
        #expect(throws: Errno.isDirectory) { try mount.remove("d") }
        #expect(throws: Errno.notDirectory) { try mount.removeDirectory("f") }
    }

    @Test func namesAreBytes() throws {
        let lower = ByteString([0xFF, 0xFE, 0x0A])
        let mount = try MountedSandbox([.file(lower, "low")])
        let upper = ByteString([0xC3, 0x28])
        try mount.write(upper, "up")
        #expect(try mount.list("") == [upper, lower].sorted())
        #expect(try mount.read(lower) == "low")
        let long = ByteString([UInt8](repeating: 0x61, count: 255))
        try mount.write(long, "long")
        #expect(try mount.read(long) == "long")
        #expect(throws: Errno.fileNameTooLong) { try mount.write(long + "a", "x") }
    }

    @Test func mergedDirectoriesCountOneLink() throws {
        let mount = try MountedSandbox([.file("d/sub/a", "a"), .directory("e/sub")])
        #expect(try mount.status("e").linkCount == 3)
        try mount.write("d/new", "x")
        #expect(try mount.status("d").linkCount == 1)
    }

    @Test func removingWhileListing() throws {
        let many = (0..<3_000).map { FixtureEntry.file(ByteString("d/f\($0)"), "x") }
        let mount = try MountedSandbox(many)
        try mount.root().removeTree("d")
        #expect(!mount.exists("d"))
    }

    @Test func ownersAndModesOfNewFiles() throws {
        let mount = try MountedSandbox([.directory("shared", 0o2775, uid: 50), .directory("plain")])
        try mount.write("shared/f", "x")
        try mount.makeDirectory("shared/d")
        #expect(try mount.status("shared/f").gid == 50)
        #expect(try mount.status("shared/d").gid == 50)
        #expect(try mount.status("shared/d").mode & 0o7777 == 0o2755)
        #expect(try mount.status("shared/f").uid == 0)
        #expect(try mount.status("plain").gid == 0)
    }
}
