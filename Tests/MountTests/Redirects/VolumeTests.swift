// New volumes take what the image has at their targets, once.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct VolumeTests {
    private static let large = CopyUpTests.large

    private static let layer: [FixtureEntry] = [
        .directory("data", 0o2751, uid: 33), .directory("data/sub", 0o700, uid: 34),
        .file(
            "data/sub/file", "text", 0o4755, uid: 35, attributes: [.init(name: "user.note", value: [1, 2])]),
        .file("data/big", bytes: large), .hardLink("data/sub/same", "data/big"),
        .symlink("data/link", "/etc/passwd"), .symlink("var", "data"),
    ]

    private static func volume(
        _ host: ByteString, at target: ByteString = "/data", _ change: (inout Redirect) -> Void = { _ in }
    ) -> PlacedRedirect {
        var redirect = Redirect(.volume, source: "v", target: target)
        change(&redirect)
        return PlacedRedirect(redirect, place: host.appending("volumes/v/_data"))
    }

    private static func mount(
        _ layer: [FixtureEntry] = VolumeTests.layer, prepare: (TemporaryDirectory) throws -> Void = { _ in },
        _ redirects: (ByteString) -> [PlacedRedirect] = { [volume($0)] }
    ) throws -> RedirectedMount {
        try RedirectedMount(
            layer,
            prepare: { host in
                try host.descriptor.makeDirectories("volumes/v/_data")
                try prepare(host)
            }, redirects)
    }

    @Test func takesEverythingOfTheImage() throws {
        let test = try Self.mount()
        let mount = test.mount
        #expect(
            try mount.list("data") == ["big", "link", "sub"] && mount.list("data/sub") == ["file", "same"])
        #expect(try mount.open("data/sub/same", O_RDONLY).readAll(limit: 4 << 20) == Self.large)
        let files = try test.host.descriptor.openDirectory("volumes/v/_data")
        let root = try files.status()
        #expect(root.mode & 0o7777 == 0o2751 && root.uid == 33 && root.gid == 33)
        let time = Timestamp(seconds: 1_600_000_000, nanoseconds: 123_456_789)
        let file = try files.status(of: "sub/file")
        #expect(file.mode & 0o7777 == 0o4755 && file.uid == 35 && file.mtime == time && root.mtime == time)
        #expect(try files.open("sub/file", O_RDONLY).extendedAttribute("user.note") == [1, 2])
        #expect(try files.status(of: "sub").mode & 0o7777 == 0o700 && files.status(of: "sub").mtime == time)
        #expect(try files.status(of: "big").inode == files.status(of: "sub/same").inode)
        #expect(try files.status(of: "big").linkCount == 2)
        #expect(try files.readLink("link") == "/etc/passwd" && files.status(of: "link").mtime == time)
        #expect(try test.host.list("volumes/v") == ["_data", "filled", "mounts"])
    }

    @Test func takesItOnce() throws {
        let test = try Self.mount()
        try test.mount.write("data/sub/file", "changed")
        try test.mount.remove("data/big")
        try test.mount.remount()
        #expect(try test.mount.read("data/sub/file") == "changed" && !test.mount.exists("data/big"))
        #expect(try test.mount.shell("rm -r data/*") == [])
        try test.mount.remount()
        #expect(try test.mount.list("data") == [])
    }

    @Test func whatHoldsSomethingIsLeftAlone() throws {
        let test = try Self.mount(prepare: { try $0.write("volumes/v/_data/own", "mine") })
        #expect(try test.mount.list("data") == ["own"])
        try test.mount.remove("data/own")
        try test.mount.remount()
        #expect(try test.mount.list("data") == [])
    }

    @Test func nocopyAndSubpathsStayEmpty() throws {
        let test = try Self.mount(prepare: { try $0.descriptor.makeDirectories("volumes/v/_data/a/b") }) {
            [
                Self.volume($0) { redirect in
                    redirect.subpath = "a/b"
                }
            ]
        }
        #expect(try test.mount.list("data") == [])
        try test.mount.write("data/x", "y")
        #expect(try test.host.read("volumes/v/_data/a/b/x") == "y")
        let empty = try Self.mount(prepare: { _ in }) { [Self.volume($0) { $0.noCopy = true }] }
        #expect(try empty.mount.list("data") == [] && !empty.host.exists("volumes/v/filled"))
        // It is still new to who wants a copy.
        try empty.mount.unmount()
        try empty.mount.setRedirects([Self.volume(empty.host.path)])
        try empty.mount.mountAgain()
        #expect(try empty.mount.list("data") == ["big", "link", "sub"])
    }

    @Test func subpathsStayInTheVolume() throws {
        func refusal(_ subpath: ByteString) -> String {
            do {
                _ = try Self.mount(prepare: { host in
                    let files = try host.descriptor.openDirectory("volumes/v/_data")
                    try host.descriptor.makeDirectory("outside", permissions: 0o755)
                    try files.makeSymlink("absolute", target: host.path.appending("outside"))
                    try files.makeSymlink("climbing", target: "../../../outside")
                }) { [Self.volume($0) { $0.subpath = subpath }] }
                return "mounted"
            } catch {
                return "\(error)"
            }
        }
        for subpath: ByteString in ["absolute", "climbing", "missing", "climbing/.."] {
            #expect(refusal(subpath).contains("redirect at /data: "), "\(subpath)")
        }
    }

    /// The target is found as the container would, and what other redirects show is not taken.
    @Test func throughSymlinksAndBeneathOthers() throws {
        let test = try Self.mount(prepare: { host in
            try host.descriptor.makeDirectory("bind", permissions: 0o755)
            try host.write("bind/inner", "of the bind")
        }) {
            [
                Self.volume($0, at: "/var"),
                RedirectedMount.bind($0.appending("bind"), at: "/data/sub"),
            ]
        }
        #expect(try test.mount.list("data") == ["big", "link", "sub"])
        #expect(try test.mount.list("data/sub") == ["inner"] && test.mount.list("var/sub") == ["inner"])
        #expect(try test.host.list("volumes/v/_data/sub") == ["file", "same"])
    }

    @Test func aVolumeWhereTheImageHasNothing() throws {
        let test = try Self.mount(prepare: { _ in }) { [Self.volume($0, at: "/new/place")] }
        #expect(try test.mount.list("new/place") == [])
        try test.mount.write("new/place/x", "y")
        #expect(try test.host.read("volumes/v/_data/x") == "y")
    }
}
