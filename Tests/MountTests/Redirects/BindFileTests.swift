// Binds of single files, and what the host changes beneath redirects.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct BindFileTests {
    private static func mount(
        consistency: Redirect.Consistency = .cached, options: [ByteString] = RedirectedMount.options
    ) throws -> RedirectedMount {
        try RedirectedMount(
            [.directory("etc"), .file("etc/hosts", "the image's")], options: options,
            prepare: { host in
                try host.write("hosts", "first")
                try host.descriptor.makeDirectory("dir", permissions: 0o755)
                try host.write("dir/file", "first")
            },
            {
                [
                    RedirectedMount.bind($0.appending("hosts"), at: "/etc/hosts", consistency: consistency),
                    RedirectedMount.bind($0.appending("dir"), at: "/dir", consistency: consistency),
                ]
            })
    }

    /// Longer than the kernel remembers names and attributes beneath a redirect.
    private func waitForTimeout() { usleep(1_100_000) }

    @Test func aFileStandsInTheImagesPlace() throws {
        let test = try Self.mount()
        #expect(try test.mount.read("etc/hosts") == "first")
        try test.mount.append("etc/hosts", " line")
        #expect(try test.host.read("hosts") == "first line")
        #expect(RedirectedMount.failure { try test.mount.remove("etc/hosts") } == .resourceBusy)
        #expect(
            RedirectedMount.failure { try test.mount.link("etc/hosts", to: "etc/other") } == .improperLink)
        #expect(
            RedirectedMount.failure { try test.mount.rename("etc/hosts", to: "etc/other") } == .resourceBusy)
        let text = try test.mount.open("etc/hosts", O_RDONLY).extendedAttribute("user.lamina.redirect")
        #expect(String(decoding: text, as: UTF8.self).hasSuffix("/hosts,target=/etc/hosts"))
    }

    @Test func aFileThatIsReplacedIsFollowed() throws {
        let test = try Self.mount()
        let old = try test.mount.open("etc/hosts", O_RDONLY)
        try test.host.write("new", "second")
        try test.host.descriptor.rename("new", to: test.host.descriptor, "hosts")
        waitForTimeout()
        #expect(try test.mount.read("etc/hosts") == "second")
        #expect(try old.readAll(limit: 99) == Array("first".utf8))
        let point = try test.mount.open("etc/hosts", O_RDONLY)
        #expect(!(try point.extendedAttribute("user.lamina.redirect").isEmpty))
        // Nothing is there for a while: the file stays what it was at first.
        try test.host.descriptor.removeFile("hosts")
        waitForTimeout()
        #expect(try test.mount.read("etc/hosts") == "first")
        // A symlink is not followed.
        try test.host.write("secret", "secret")
        try test.host.descriptor.makeSymlink("hosts", target: "secret")
        waitForTimeout()
        #expect(try test.mount.read("etc/hosts") == "first")
    }

    @Test func changesOfTheHostAreSeen() throws {
        let test = try Self.mount()
        #expect(try test.mount.read("dir/file") == "first" && test.mount.list("dir") == ["file"])
        let open = try test.mount.open("dir/file", O_RDONLY)
        _ = try open.readBytes(at: 0, count: 9)
        try test.host.write("dir/file", "second, longer")
        try test.host.write("dir/more", "more")
        waitForTimeout()
        #expect(try test.mount.status("dir/file").size == 14)
        #expect(try test.mount.read("dir/file") == "second, longer")
        #expect(try open.readAll(limit: 99) == Array("second, longer".utf8))
        #expect(try test.mount.list("dir") == ["file", "more"])
        try test.host.descriptor.removeFile("dir/file")
        waitForTimeout()
        #expect(!test.mount.exists("dir/file"))
    }

    @Test func consistentOnesShowThemAtOnce() throws {
        let test = try Self.mount(consistency: .consistent)
        for round in 0..<20 {
            let text = String(repeating: "x", count: round + 1)
            try test.host.write("dir/file", text)
            #expect(try test.mount.read("dir/file") == text)
            #expect(try test.mount.status("dir/file").size == Int64(round + 1))
            try test.host.write("other", text + "y")
            try test.host.descriptor.rename("other", to: test.host.descriptor, "hosts")
            #expect(try test.mount.read("etc/hosts") == text + "y")
            #expect(!test.mount.exists("dir/new"))
            try test.host.write("dir/new", "")
            #expect(try test.mount.exists("dir/new") && test.mount.list("dir") == ["file", "new"])
            try test.host.descriptor.removeFile("dir/new")
            #expect(try !test.mount.exists("dir/new") && test.mount.list("dir") == ["file"])
        }
    }

    @Test func appendingMindsWhatTheHostAppends() throws {
        let test = try Self.mount()
        let log = try test.mount.open("dir/file", O_WRONLY | O_APPEND)
        try log.writeAll(Array(" a".utf8))
        try test.host.descriptor.open("dir/file", O_WRONLY | O_APPEND).writeAll(Array(" b".utf8))
        try log.writeAll(Array(" c".utf8))
        #expect(try test.host.read("dir/file") == "first a b c")
    }

    @Test(arguments: [["--data", "passthrough"], ["--no-passthrough"]] as [[ByteString]])
    func bytesGoBothWays(_ options: [ByteString]) throws {
        let test = try Self.mount(options: options)
        let bytes = CopyUpTests.large
        let file = try test.mount.open("dir/big", O_RDWR | O_CREAT)
        try file.writeAll(bytes.raw, at: 0)
        try file.allocate(mode: 0x03, offset: 4096, length: 4096)  // a hole
        try file.sync()
        #expect(try file.seek(to: 0, whence: SeekFlag.hole) == 4096)
        let host = try test.host.descriptor.open("dir/big", O_RDONLY)
        var expected = bytes
        for index in 4096..<8192 { expected[index] = 0 }
        #expect(try host.readAll(limit: 4 << 20) == expected)
        let copy = try test.mount.open("dir/copy", O_WRONLY | O_CREAT)
        #expect(try copy.copyRange(from: file, sourceOffset: 0, to: 0, count: bytes.count) == bytes.count)
        #expect(try test.mount.open("dir/copy", O_RDONLY).readAll(limit: 4 << 20) == expected)
        let nameless = try test.mount.open("dir", OpenFlag.temporary | O_RDWR, permissions: 0o600)
        try nameless.writeAll([1, 2, 3])
        try nameless.linkOpenFile(to: test.mount.root(), "dir/named")
        #expect(try test.host.descriptor.open("dir/named", O_RDONLY).readAll(limit: 9) == [1, 2, 3])
    }

    @Test func theHostsFilesystemIsTold() throws {
        let test = try Self.mount()
        let shown = try test.mount.open("dir", O_RDONLY).filesystemStatus()
        let real = try test.host.descriptor.filesystemStatus()
        #expect(shown.blocks == real.blocks && shown.files == real.files)
    }
}
