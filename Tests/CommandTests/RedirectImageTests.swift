import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// `--mount type=image`: another image's tree, read-only.
@Suite(.enabled(if: MountedSandbox.isPossible)) struct RedirectImageTests {
    private func program() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let other = TestImage.sample(seed: 2)
        try lamina.lines("load", "-q", "-i", lamina.layout(other.layout, named: "other"))
        return lamina
    }

    private func refused(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            return false
        } catch {
            return error as? Errno == .readOnlyFileSystem
        }
    }

    @Test func itsTreeIsShownReadOnly() throws {
        let lamina = try program()
        try lamina.lines(
            "create", "sample", "--name", "box", "--mount", "type=image,src=other,dst=/i", "--mount",
            "type=image,src=other,dst=/etc/sub,image-subpath=etc")
        let place = ByteString(try #require(try lamina.lines("mount", "box").first))
        func open(_ path: ByteString, _ flags: Int32 = O_RDONLY) throws -> Descriptor {
            try Descriptor.open(place.appending(path), flags, permissions: 0o600)
        }
        let own = try open("big").readAll(limit: 1 << 20)
        let other = try open("i/big").readAll(limit: 1 << 20)
        #expect(other == noise(200_000, seed: 2) && own == noise(200_000, seed: 1))
        #expect(try open("i").entries().map(\.name).sorted() == ["big", "etc", "link"])
        #expect(try open("i/etc/release").readAll(limit: 99) == open("etc/sub/release").readAll(limit: 99))
        #expect(try open("i").readLink(place.appending("i/link")) == "etc/release")
        let status = try FileStatus.of(place.appending("i/etc/release"))
        let ownStatus = try FileStatus.of(place.appending("etc/release"))
        #expect(status.mode & 0o7777 == 0o644 && status.inode != ownStatus.inode)
        let text = String(decoding: try open("i").extendedAttribute("user.lamina.redirect"), as: UTF8.self)
        #expect(text.hasPrefix("type=image,source=sha256:") && text.hasSuffix(",target=/i,readonly"))
        let root = try open("")
        #expect(refused { _ = try open("i/big", O_RDWR) })
        #expect(refused { _ = try open("i/new", O_WRONLY | O_CREAT) })
        #expect(refused { try root.makeDirectory("i/new", permissions: 0o700) })
        #expect(refused { try root.removeFile("i/link") })
        #expect(refused { try root.rename("i/link", to: root, "i/moved") })
        #expect(refused { try root.link("i/link", to: root, "i/moved") })
        #expect(refused { try root.setPermissions(of: "i/big", 0o600) })
        #expect(throws: Errno.improperLink) { try root.link("i/link", to: root, "moved") }
        #expect(throws: Errno.improperLink) { try root.link("i/big", to: root, "etc/sub/big") }
        #expect(throws: Errno.resourceBusy) { try root.removeDirectory("i") }
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try open("i/none") }
        _ = consume root
        try lamina.unmount("box")
    }

    @Test func itComesAndGoesWhileMounted() throws {
        let lamina = try program()
        try lamina.lines("create", "sample", "--name", "box")
        let place = ByteString(try #require(try lamina.lines("mount", "box").first))
        for _ in 0..<3 {
            try lamina.lines("redirect", "add", "box", "--mount", "type=image,src=other,dst=/i")
            let bytes = try Descriptor.open(place.appending("i/big"), O_RDONLY).readAll(limit: 1 << 20)
            #expect(bytes == noise(200_000, seed: 2))
            try lamina.lines("redirect", "rm", "box", "/i")
            #expect(try Descriptor.open(place.appending("i"), O_RDONLY).entries().isEmpty)
        }
        try lamina.unmount("box")
        lamina.expectFailure(
            try lamina.run("redirect", "add", "box", "--mount", "type=image,src=none,dst=/j"), code: 3,
            "none: no such image")
        try lamina.lines(
            "redirect", "add", "box", "--mount", "type=image,src=other,dst=/j,image-subpath=link")
        lamina.expectFailure(try lamina.run("mount", "box"), code: 1, "redirect at /j: link in the image: ")
        try lamina.lines("redirect", "rm", "box", "/j")
        try lamina.lines("rmi", "other")
    }
}
