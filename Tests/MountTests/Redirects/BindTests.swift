// Binds of directories: that what is done in them happens on the host and nowhere else, and that their edges are
// those of a mount.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct BindTests {
    private static func mount(
        readOnly: Bool = false, at target: ByteString = "/data", _ layer: [FixtureEntry] = BindTests.layer
    ) throws -> RedirectedMount {
        try RedirectedMount(
            layer,
            prepare: { host in
                try host.descriptor.makeDirectories("src/sub")
                try host.write("src/file", "from the host")
                try host.write("src/sub/deep", "deep")
            },
            { [RedirectedMount.bind($0.appending("src"), at: target, readOnly: readOnly)] })
    }

    private static let layer: [FixtureEntry] = [
        .directory("data"), .file("data/hidden", "of the image"), .file("other", "text"), .directory("dir"),
    ]

    @Test func showsTheHostAndHidesTheImage() throws {
        let test = try Self.mount()
        #expect(try test.mount.list("data") == ["file", "sub"])
        #expect(try test.mount.read("data/file") == "from the host")
        #expect(try test.mount.read("data/sub/deep") == "deep")
        #expect(!test.mount.exists("data/hidden") && !test.mount.exists("data/none"))
        #expect(try test.mount.list("") == ["data", "dir", "other"])
        let shown = try test.mount.status("data/file")
        let real = try test.host.descriptor.status(of: "src/file")
        #expect(shown.size == real.size && shown.mode == real.mode && shown.mtime == real.mtime)
        #expect(shown.inode != real.inode && shown.linkCount == 1)
    }

    @Test func changesHappenOnTheHost() throws {
        let test = try Self.mount()
        let mount = test.mount
        try mount.write("data/new", "written")
        try mount.append("data/file", ", and more")
        try mount.makeDirectory("data/made")
        try mount.root().makeSymlink("data/made/link", target: "../file")
        try mount.link("data/file", to: "data/made/same")
        try mount.rename("data/sub", to: "data/made/moved")
        try mount.root().makeNode("data/fifo", mode: FileType.fifo.rawValue | 0o600, device: .zero)
        #expect(try test.host.read("src/new") == "written")
        #expect(try test.host.read("src/file") == "from the host, and more")
        #expect(try test.host.list("src/made") == ["link", "moved", "same"])
        #expect(try test.host.descriptor.status(of: "src/file").linkCount == 2)
        #expect(try test.host.descriptor.status(of: "src/fifo").type == .fifo)
        #expect(try mount.read("data/made/link") == "from the host, and more")
        #expect(try mount.status("data/made/same").inode == mount.status("data/file").inode)
        try mount.remove("data/new")
        try mount.remove("data/fifo")
        try mount.remove("data/made/moved/deep")
        try mount.removeDirectory("data/made/moved")
        #expect(try test.host.list("src") == ["file", "made"])
        // Nothing of it is in the sandbox.
        let upper = try Descriptor.open(mount.sandbox.appending("upper"), O_RDONLY | O_DIRECTORY)
        #expect(try upper.entries().isEmpty)
    }

    @Test func attributesAreTheFilesOwn() throws {
        let test = try Self.mount()
        let file = try test.mount.open("data/file", O_RDWR)
        try file.setOwner(uid: 7, gid: 8)
        try file.setPermissions(0o4751)
        let time = Timestamp(seconds: 1_000_000_000, nanoseconds: 5)
        try file.setTimes(atime: .set(time), mtime: .set(time))
        try file.setExtendedAttribute("user.test", Array("value".utf8).raw)
        try file.truncate(to: 4)
        try file.setTimes(atime: .keep, mtime: .set(time))
        let real = try test.host.descriptor.status(of: "src/file")
        #expect(real.uid == 7 && real.gid == 8 && real.mtime == time && real.size == 4)
        let handle = try test.host.descriptor.open("src/file", O_RDONLY)
        #expect(try handle.extendedAttribute("user.test") == Array("value".utf8))
        #expect(try file.extendedAttributeNames().contains("user.test"))
        try file.removeExtendedAttribute("user.test")
        #expect(RedirectedMount.failure { _ = try handle.extendedAttribute("user.test") } == .noData)
    }

    @Test func newFilesBelongToWhoMakesThem() throws {
        let test = try Self.mount()
        try test.host.descriptor.setPermissions(of: "src", 0o777)
        try test.host.descriptor.makeDirectory("src/shared", permissions: 0)
        try test.host.descriptor.setOwner(of: "src/shared", uid: 0, gid: 4_000)
        try test.host.descriptor.setPermissions(of: "src/shared", 0o2770)
        let output = try test.mount.shell(
            "umask 027; cd data; touch a; mkdir b; ln -s a c; mkfifo d; touch shared/e; mkdir shared/f",
            uid: 1_001, gid: 1_002, groups: [4_000])
        #expect(output == [])
        func owner(_ name: ByteString) throws -> [UInt32] {
            let status = try test.host.descriptor.status(of: ByteString("src/") + name)
            return [status.uid, status.gid, status.mode & 0o7777]
        }
        #expect(try owner("a") == [1_001, 1_002, 0o640])
        #expect(try owner("b") == [1_001, 1_002, 0o750])
        #expect(try owner("c").prefix(2) == [1_001, 1_002])
        #expect(try owner("d") == [1_001, 1_002, 0o640])
        #expect(try owner("shared/e") == [1_001, 4_000, 0o640])
        #expect(try owner("shared/f") == [1_001, 4_000, 0o2750])
        // Permissions hold beneath a redirect too.
        #expect(try test.mount.shell("cat data/shared/e", uid: 5, gid: 5).last == "failed")
    }

    @Test func defaultListsAreHandedDown() throws {
        let test = try Self.mount()
        let output = try test.mount.shell(
            "setfacl -d -m u:77:rwx,o::- data/sub && umask 077 && touch data/sub/new && mkdir data/sub/dir")
        #expect(output == [])
        let list = try test.host.descriptor.open("src/sub/new", O_RDONLY)
            .extendedAttribute("system.posix_acl_access")
        #expect(!list.isEmpty)
        #expect(try test.host.descriptor.status(of: "src/sub/new").mode & 0o777 == 0o660)
        #expect(
            try test.mount.shell("getfacl -cp data/sub/new").contains { $0.hasPrefix("user:77:rwx") })
    }

    @Test func edgesAreThoseOfAMount() throws {
        let test = try Self.mount()
        let mount = test.mount
        let failure = RedirectedMount.failure
        #expect(failure { try mount.link("data/file", to: "dir/file") } == .improperLink)
        #expect(failure { try mount.link("other", to: "data/other") } == .improperLink)
        #expect(failure { try mount.rename("data/file", to: "dir/file") } == .improperLink)
        #expect(failure { try mount.rename("other", to: "data/other") } == .improperLink)
        #expect(
            failure { try mount.rename("other", to: "data/file", flags: RenameFlag.exchange) }
                == .improperLink)
        #expect(failure { try mount.removeDirectory("data") } == .resourceBusy)
        #expect(failure { try mount.rename("data", to: "elsewhere") } == .resourceBusy)
        #expect(failure { try mount.rename("dir", to: "data") } == .resourceBusy)
        #expect(failure { try mount.rename("dir", to: "data", flags: RenameFlag.exchange) } == .resourceBusy)
        #expect(failure { try mount.makeDirectory("data") } == .fileExists)
        #expect(
            failure { try mount.rename("data/file", to: "data/sub", flags: RenameFlag.noReplace) }
                == .fileExists)
        try mount.rename("data/file", to: "data/sub", flags: RenameFlag.exchange)
        #expect(try test.host.descriptor.status(of: "src/file").type == .directory)
    }

    @Test func renamingTheDirectoryAboveMovesThePoint() throws {
        let test = try Self.mount(at: "/a/b/data", [.directory("a"), .directory("a/b")])
        try test.mount.rename("a", to: "z")
        #expect(try test.mount.read("z/b/data/file") == "from the host")
        #expect(RedirectedMount.failure { try test.mount.removeDirectory("z/b/data") } == .resourceBusy)
        #expect(RedirectedMount.failure { try test.mount.removeDirectory("z/b") } == .directoryNotEmpty)
        try test.mount.makeDirectory("a")
        #expect(try test.mount.list("a") == [])
    }

    @Test func readOnlyOnesRefuseEveryChange() throws {
        let test = try Self.mount(readOnly: true)
        let mount = test.mount
        func refused(_ body: () throws -> Void) -> Bool {
            RedirectedMount.failure(body) == .readOnlyFileSystem
        }
        let file = try mount.open("data/file", O_RDONLY)
        #expect(refused { try mount.write("data/file", "x") })
        #expect(refused { _ = try mount.open("data/file", O_RDWR) })
        #expect(refused { _ = try mount.open("data/file", O_RDONLY | O_TRUNC) })
        #expect(refused { _ = try mount.open("data/new", O_WRONLY | O_CREAT) })
        #expect(refused { _ = try mount.open("data", OpenFlag.temporary | O_RDWR) })
        #expect(refused { try mount.makeDirectory("data/new") })
        #expect(refused { try mount.root().makeSymlink("data/new", target: "x") })
        #expect(
            refused { try mount.root().makeNode("data/new", mode: FileType.fifo.rawValue, device: .zero) })
        #expect(refused { try mount.remove("data/file") })
        #expect(refused { try mount.removeDirectory("data/sub") })
        #expect(refused { try mount.rename("data/file", to: "data/new") })
        #expect(refused { try mount.link("data/file", to: "data/new") })
        #expect(refused { try file.setPermissions(0o600) })
        #expect(refused { try file.setOwner(uid: 1, gid: 1) })
        #expect(refused { try file.setTimes(atime: .now, mtime: .now) })
        #expect(refused { try file.setExtendedAttribute("user.x", [1].raw) })
        #expect(refused { try file.removeExtendedAttribute("user.x") })
        #expect(try mount.read("data/file") == "from the host")
        #expect(try test.host.list("src") == ["file", "sub"])
    }

    @Test func thePointSaysWhatItIs() throws {
        let test = try Self.mount(readOnly: true)
        let point = try test.mount.open("data", O_RDONLY)
        let text = "type=bind,source=\(test.host.path)/src,target=/data,readonly"
        #expect(String(decoding: try point.extendedAttribute("user.lamina.redirect"), as: UTF8.self) == text)
        #expect(try point.extendedAttributeNames().contains("user.lamina.redirect"))
        let beneath = try test.mount.open("data/sub", O_RDONLY)
        #expect(
            RedirectedMount.failure { _ = try beneath.extendedAttribute("user.lamina.redirect") } == .noData)
        let writable = try Self.mount()
        let other = try writable.mount.open("data", O_RDONLY)
        #expect(
            RedirectedMount.failure { try other.setExtendedAttribute("user.lamina.redirect", [1].raw) }
                == .notPermitted)
    }

    @Test func missingTargetsAreMadeAndCanBeRemovedLater() throws {
        let test = try RedirectedMount(
            [.directory("etc"), .symlink("run", "var/run"), .directory("var")],
            prepare: { host in
                try host.descriptor.makeDirectory("dir", permissions: 0o755)
                try host.write("file", "text")
            },
            {
                [
                    RedirectedMount.bind($0.appending("dir"), at: "/run/one/two"),
                    RedirectedMount.bind($0.appending("file"), at: "/etc/made/config"),
                ]
            })
        #expect(try test.mount.read("etc/made/config") == "text")
        try test.mount.write("var/run/one/two/x", "y")
        #expect(try test.host.read("dir/x") == "y")
        try test.mount.unmount()
        try test.mount.setRedirects([])
        try test.mount.mountAgain()
        #expect(try test.mount.list("var/run/one/two") == [] && test.mount.read("etc/made/config") == "")
        try test.mount.removeDirectory("var/run/one/two")
        try test.mount.remove("etc/made/config")
        try test.mount.removeDirectory("etc/made")
        #expect(try test.mount.list("etc") == [])
    }

    /// Why a bind at /x is refused.
    private func refusal(_ layer: [FixtureEntry], _ source: ByteString) -> String {
        do {
            _ = try RedirectedMount(
                layer,
                prepare: { host in
                    try host.descriptor.makeDirectory("dir", permissions: 0o755)
                    try host.write("file", "text")
                    for (name, type) in [("pipe", .fifo), ("socket", .socket)] as [(ByteString, FileType)] {
                        try host.descriptor.makeNode(name, mode: type.rawValue | 0o600, device: .zero)
                    }
                }, { [RedirectedMount.bind($0.appending(source), at: "/x")] })
            return "mounted"
        } catch {
            return "\(error)"
        }
    }

    /// They would be the mount's own, with nobody at their other end.
    @Test func socketsAndPipesAreNoSources() throws {
        for source: ByteString in ["pipe", "socket"] {
            #expect(refusal([], source).contains("redirect at /x: "), "\(source)")
        }
        #expect(refusal([], "file") == "mounted")
    }

    @Test func filesAndDirectoriesDoNotStandForEachOther() throws {
        #expect(
            refusal([.file("x", "")], "dir").contains("/x: a directory cannot stand in the place of a file"))
        #expect(
            refusal([.directory("x")], "file").contains("/x: a file cannot stand in the place of a directory")
        )
        #expect(refusal([], "none").contains("redirect at /x: "))
        #expect(refusal([], "none").contains("No such file"))
    }
}
