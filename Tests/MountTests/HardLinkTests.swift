// Hard links of the layers: all names stay one file.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct HardLinkTests {
    static let layer: [FixtureEntry] = [
        .file("a/one", "shared"), .hardLink("b/two", "a/one"), .hardLink("b/three", "a/one"),
    ]

    @Test func writingOneNameChangesAll() throws {
        let mount = try MountedSandbox(Self.layer)
        #expect(try mount.status("b/two").inode == mount.status("a/one").inode)
        #expect(try mount.status("b/two").linkCount == 3)
        try mount.append("b/two", "+")
        for _ in 0..<2 {
            for name: ByteString in ["a/one", "b/two", "b/three"] {
                #expect(try mount.read(name) == "shared+")
                #expect(try mount.status(name).linkCount == 3)
            }
            #expect(try mount.status("b/three").inode == mount.status("a/one").inode)
            try mount.remount()
        }
    }

    @Test func removingOneNameKeepsTheOthers() throws {
        let mount = try MountedSandbox(Self.layer)
        try mount.remove("a/one")
        for _ in 0..<2 {
            #expect(!mount.exists("a/one"))
            #expect(try mount.status("b/two").linkCount == 2)
            #expect(try mount.read("b/three") == "shared")
            try mount.remount()
        }
        try mount.remove("b/two")
        try mount.remove("b/three")
        #expect(try mount.list("b") == [])
    }

    @Test func newNames() throws {
        let mount = try MountedSandbox(Self.layer + [.file("single", "s")])
        try mount.link("single", to: "a/second")
        try mount.link("b/three", to: "four")
        #expect(try mount.status("single").linkCount == 2)
        #expect(try mount.status("a/one").linkCount == 4)
        try mount.append("a/second", "!")
        #expect(try mount.read("single") == "s!")
        try mount.remount()
        #expect(try mount.status("four").inode == mount.status("a/one").inode)
        try mount.remove("single")
        #expect(try mount.read("a/second") == "s!")
        #expect(try mount.status("a/second").linkCount == 1)
    }

    @Test func aLinkReplacesAWhiteout() throws {
        let mount = try MountedSandbox(Self.layer + [.file("old", "o")])
        try mount.remove("old")
        try mount.link("a/one", to: "old")
        try mount.remount()
        #expect(try mount.read("old") == "shared")
        #expect(try mount.status("old").linkCount == 4)
    }
}
