// Volumes that one mount has alone, whose names and attributes the kernel keeps, and what others see and make seen.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct VolumeSharingTests {
    private let host: TemporaryDirectory

    init() throws {
        host = try TemporaryDirectory()
        try host.descriptor.makeDirectories("volumes/v/_data/dir")
        try host.write("volumes/v/_data/file", "first")
    }

    private func volume(at target: ByteString = "/data", subpath: ByteString? = nil) -> PlacedRedirect {
        var redirect = Redirect(.volume, source: "v", target: target)
        redirect.subpath = subpath
        return PlacedRedirect(redirect, place: host.path.appending("volumes/v/_data"))
    }

    private func mount(_ redirects: [PlacedRedirect]? = nil) throws -> MountedSandbox {
        try MountedSandbox(
            layers: [[]], options: RedirectedMount.options, redirects: redirects ?? [volume()])
    }

    private func requests(_ mount: MountedSandbox) throws -> UInt64 {
        let file = try Descriptor.open(mount.sandbox.appending("stats"), O_RDONLY)
        let bytes = try file.readAll(limit: CounterFormat.fileSize)
        return try CounterSnapshot(bytes.raw).total.requests
    }

    /// Requests of looking at what is there and at what is not, a while after the first look.
    private func requestsLater(_ mount: MountedSandbox) throws -> UInt64 {
        func look() throws {
            #expect(try mount.status("data/file").size == 5 && !mount.exists("data/missing"))
        }
        try look()
        usleep(1_300_000)
        let before = try requests(mount)
        try look()
        return try requests(mount) - before
    }

    /// Waits until something is so, for less than what is alone is remembered.
    private func isSoon(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<60 {
            if try condition() { return true }
            usleep(50_000)
        }
        return false
    }

    /// Where case is ignored, the name of the volume's place is asked for each time.
    @Test(.enabled(if: !MountedSandbox.commonOptions.contains("--ignore-case")))
    func aloneItIsRemembered() throws {
        let mount = try mount()
        #expect(try requestsLater(mount) == 0)
        // A killed server is not in the way of the next.
        try mount.killServer()
        #expect(try requestsLater(mount) == 0)
        let other = try self.mount()
        #expect(try requestsLater(mount) >= 2 && requestsLater(other) >= 2)
    }

    @Test func whatASecondMountDoesIsSeen() throws {
        let one = try mount()
        #expect(!one.exists("data/made") && !one.exists("data/dir/made") && !one.exists("data/moved"))
        #expect(try one.status("data/file").size == 5 && one.list("data/dir") == [])
        let open = try one.open("data/file", O_RDONLY)
        let two = try mount()
        try two.write("data/made", "x")
        try two.write("data/dir/made", "x")
        try two.append("data/file", ", longer")
        #expect(isSoon { one.exists("data/made") && one.exists("data/dir/made") })
        #expect(try isSoon { try one.status("data/file").size == 13 && open.status().size == 13 })
        #expect(try isSoon { try one.list("data/dir") == ["made"] })
        try two.rename("data/file", to: "data/moved")
        #expect(isSoon { one.exists("data/moved") && !one.exists("data/file") })
        try one.write("data/answer", "y")
        #expect(isSoon { two.exists("data/answer") })
    }

    @Test func oneVolumeAtTwoPlaces() throws {
        let mount = try mount([volume(), volume(at: "/part", subpath: "dir")])
        #expect(!mount.exists("part/made") && !mount.exists("data/dir/made"))
        try mount.write("data/dir/made", "x")
        #expect(isSoon { mount.exists("part/made") })
    }

    /// Its own changes it sees at once, whatever is remembered.
    @Test func ownChangesAreSeenAtOnce() throws {
        let mount = try mount()
        #expect(!mount.exists("data/new") && mount.exists("data/file"))
        try mount.write("data/new", "text")
        #expect(try mount.status("data/new").size == 4 && mount.list("data") == ["dir", "file", "new"])
        try mount.rename("data/new", to: "data/dir/new")
        #expect(!mount.exists("data/new") && mount.exists("data/dir/new"))
        try mount.link("data/dir/new", to: "data/same")
        #expect(try mount.status("data/dir/new").linkCount == 2 && mount.status("data/same").linkCount == 2)
        try mount.remove("data/dir/new")
        #expect(try mount.status("data/same").linkCount == 1 && !mount.exists("data/dir/new"))
        try mount.append("data/same", "more")
        #expect(try mount.status("data/same").size == 8)
        #expect(try mount.status("data/dir").linkCount == 2)
        try mount.makeDirectory("data/dir/inner")
        #expect(try mount.status("data/dir").linkCount == 3)
    }

    /// A mapping writes without telling anybody.
    @Test func mappedWritesAreSeen() throws {
        let mount = try mount()
        let before = try mount.status("data/file").mtime
        let file = try mount.open("data/file", O_RDWR)
        usleep(20_000)
        try file.writeThroughMapping(at: 0, of: 5)
        #expect(try mount.open("data/file", O_RDONLY).readAll(limit: 9)[0] == 0xEE)
        #expect(try isSoon { try mount.status("data/file").mtime != before })
    }
}
