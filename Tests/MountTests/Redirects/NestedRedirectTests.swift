// Redirects beneath redirects, many of them, and in memory.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct NestedRedirectTests {
    private static func memory(_ target: ByteString, size: Int64? = 1 << 20) -> PlacedRedirect {
        var redirect = Redirect(.tmpfs, target: target)
        redirect.size = size
        return PlacedRedirect(redirect, place: ByteString())
    }

    @Test func targetsInsideOthers() throws {
        let test = try RedirectedMount(
            [.directory("a"), .file("a/image", "image")],
            prepare: { host in
                try host.descriptor.makeDirectories("outer/sub")
                try host.descriptor.makeDirectories("inner")
                try host.write("outer/sub/hidden", "hidden")
                try host.write("inner/file", "inner")
                try host.write("config", "config")
            },
            {
                [
                    RedirectedMount.bind($0.appending("config"), at: "/a/sub/deep/config"),
                    RedirectedMount.bind($0.appending("inner"), at: "/a/sub"),
                    RedirectedMount.bind($0.appending("outer"), at: "/a"),
                ]
            })
        let mount = test.mount
        #expect(try mount.list("a") == ["sub"] && mount.list("a/sub") == ["deep", "file"])
        #expect(try mount.read("a/sub/deep/config") == "config")
        // What was missing was made in the redirect that it lies in.
        #expect(
            try test.host.list("inner") == ["deep", "file"] && test.host.list("inner/deep") == ["config"])
        #expect(try test.host.list("outer/sub") == ["hidden"])
        let failure = RedirectedMount.failure
        #expect(failure { try mount.removeDirectory("a/sub") } == .resourceBusy)
        #expect(failure { try mount.remove("a/sub/deep/config") } == .resourceBusy)
        #expect(failure { try mount.rename("a/sub", to: "a/other") } == .resourceBusy)
        #expect(failure { try mount.rename("a/sub/file", to: "a/file") } == .improperLink)
        #expect(failure { try mount.link("a/sub/file", to: "a/file") } == .improperLink)
        // The point moves with its directory, also when that is the host's.
        try mount.rename("a/sub/deep", to: "a/sub/moved")
        #expect(try mount.read("a/sub/moved/config") == "config")
        #expect(try test.host.list("inner") == ["file", "moved"])
    }

    @Test func aMissingTargetInAReadOnlyOneIsRefused() throws {
        let reason: String
        do {
            _ = try RedirectedMount(
                [], prepare: { try $0.descriptor.makeDirectory("outer", permissions: 0o755) },
                {
                    [
                        RedirectedMount.bind($0.appending("outer"), at: "/a", readOnly: true),
                        Self.memory("/a/tmp"),
                    ]
                })
            reason = "mounted"
        } catch {
            reason = "\(error)"
        }
        #expect(reason.contains("redirect at /a/tmp: is missing, and cannot be made in what is read-only"))
    }

    @Test func memoryHasItsSizeAndVanishes() throws {
        var redirect = Redirect(.tmpfs, target: "/tmp")
        redirect.size = 1 << 20
        redirect.permissions = 0o1700
        let placed = PlacedRedirect(redirect, place: ByteString())
        let test = try RedirectedMount([.directory("tmp"), .file("tmp/image", "image")]) { _ in [placed] }
        #expect(try test.mount.list("tmp") == [] && test.mount.status("tmp").mode & 0o7777 == 0o1700)
        #expect(try test.mount.open("tmp", O_RDONLY).filesystemStatus().blocks == 256)
        let file = try test.mount.open("tmp/file", O_RDWR | O_CREAT)
        try file.writeAll([UInt8](repeating: 7, count: 900_000))
        #expect(
            RedirectedMount.failure { try file.writeAll([UInt8](repeating: 7, count: 900_000)) } == .noSpace)
        try file.truncate(to: 0)
        try test.mount.makeDirectory("tmp/dir")
        try test.mount.write("tmp/dir/x", "y")
        #expect(
            RedirectedMount.failure { try test.mount.rename("tmp/dir/x", to: "x") } == .improperLink)
        _ = consume file
        try test.mount.remount()
        #expect(try test.mount.list("tmp") == [])
        let table = try MountTable.entries().filter { $0.filesystem == "tmpfs" && $0.source == "none" }
        #expect(!table.contains { $0.mountpoint.hasPrefix(test.mount.mountpoint) })
    }

    @Test func aThousand() throws {
        let test = try RedirectedMount(
            [.directory("usr"), .file("usr/file", "text")],
            prepare: { host in
                for number in 0..<1000 { try host.descriptor.makeDirectories(ByteString("src/\(number)")) }
            },
            { host in
                (0..<1000).map { number in
                    let depth = number % 2 == 0 ? "usr" : "new/\(number % 7)"
                    return RedirectedMount.bind(
                        host.appending(ByteString("src/\(number)")), at: ByteString("/\(depth)/\(number)"))
                }
            })
        #expect(try test.mount.list("usr").count == 501)
        for number in 0..<1000 {
            let depth = number % 2 == 0 ? "usr" : "new/\(number % 7)"
            try test.mount.write(ByteString("\(depth)/\(number)/x"), "\(number)")
        }
        for number in 0..<1000 { #expect(try test.host.read(ByteString("src/\(number)/x")) == "\(number)") }
        #expect(try test.mount.read("usr/file") == "text")
    }

    @Test func thirtyTwoDeep() throws {
        let targets = (1...32).map { ByteString(String(repeating: "/d", count: $0)) }
        let test = try RedirectedMount(
            [],
            prepare: { host in
                for number in 1...32 { try host.descriptor.makeDirectories(ByteString("src/\(number)")) }
            },
            { host in
                targets.enumerated().map { index, target in
                    RedirectedMount.bind(host.appending(ByteString("src/\(index + 1)")), at: target)
                }
            })
        let deepest = try #require(targets.last).dropFirst(1)
        try test.mount.write(deepest.appending("x"), "deep")
        #expect(try test.host.read("src/32/x") == "deep")
        #expect(try test.host.list("src/1") == ["d"] && test.host.list("src/31") == ["d"])
    }

    @Test func twoThatMeetAreRefusedAndAnonymousOnesYield() throws {
        func mount(anonymous: Bool) throws -> RedirectedMount {
            try RedirectedMount(
                [.directory("run"), .directory("var"), .symlink("var/run", "/run")],
                prepare: { host in
                    try host.descriptor.makeDirectories("one")
                    try host.descriptor.makeDirectories("volumes/v/_data")
                    try host.write("one/file", "one")
                },
                {
                    var volume = Redirect(.volume, source: "v", target: "/var/run/x")
                    volume.isAnonymous = anonymous
                    let place = $0.appending("volumes/v/_data")
                    return [
                        PlacedRedirect(volume, place: place),
                        RedirectedMount.bind($0.appending("one"), at: "/run/x"),
                    ]
                })
        }
        let test = try mount(anonymous: true)
        #expect(try test.mount.read("run/x/file") == "one")
        #expect(throws: MountError.self) { _ = try mount(anonymous: false) }
    }

    @Test func damagedListsAreRefused() throws {
        let test = try RedirectedMount { _ in [Self.memory("/tmp")] }
        try test.mount.unmount()
        let path = test.mount.sandbox.appending(RedirectList.name)
        var bytes = try Descriptor.open(path, O_RDONLY).readAll(limit: 4096)
        bytes[20] ^= 1
        try Descriptor.open(path, O_WRONLY | O_TRUNC).writeAll(bytes)
        #expect(throws: MountError.self) { try test.mount.mountAgain() }
        try Descriptor.open(path, O_WRONLY | O_TRUNC).writeAll([])
        #expect(throws: MountError.self) { try test.mount.mountAgain() }
        try Descriptor.open(path, O_RDWR).truncate(to: 1 << 40)
        #expect(throws: MountError.self) { try test.mount.mountAgain() }
    }
}
