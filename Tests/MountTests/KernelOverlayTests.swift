// Sandboxes whose files have no bytes of their own, read by kernel overlayfs over the
// unpacked layers.

import CLinux
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct KernelOverlayTests {
    static let bytes = CopyUpTests.large

    /// A mount of kernel overlayfs over `lower` and the sandbox, taken away in the end.
    private func withOverlay(_ mount: MountedSandbox, _ body: (ByteString) throws -> Void) throws {
        let root = mount.store.path
        for name: ByteString in ["lower", "lower/d", "lower/e", "kernel"] {
            try mount.store.descriptor.makeDirectory(root.appending(name), permissions: 0o755)
        }
        for name: ByteString in ["d/f", "d/g", "h", "big"] {
            let file = try Descriptor.open(
                root.appending("lower").appending(name), O_WRONLY | O_CREAT, permissions: 0o644)
            try file.writeAll(name == "big" ? LazyCopyTests.large : Self.bytes)
        }
        try mount.store.descriptor.link("lower/h", to: mount.store.descriptor, "lower/i")
        let options =
            "metacopy=on,redirect_dir=on,index=off,lowerdir=\(root)/lower,"
            + "upperdir=\(mount.sandbox)/upper,workdir=\(mount.sandbox)/work"
        let point = root.appending("kernel")
        let result = unsafe point.withCString { place in
            // SAFETY: all strings are NUL-terminated and alive during the call.
            unsafe options.withCString { unsafe Glibc.mount("overlay", place, "overlay", 0, $0) }
        }
        try #require(result == 0, "overlayfs: \(Errno(rawValue: errno))")
        defer { try? MountTable.unmount(point, lazy: true) }
        try body(point)
    }

    private func layers() throws -> MountedSandbox {
        try MountedSandbox([
            .directory("d"), .directory("e"), .file("d/f", bytes: Self.bytes),
            .file("d/g", bytes: Self.bytes),
            .file("h", bytes: Self.bytes), .hardLink("i", "h"), .file("big", bytes: LazyCopyTests.large),
        ])
    }

    @Test func metacopiesAreReadable() throws {
        let mount = try layers()
        try mount.root().setPermissions(of: "d/f", 0o600)
        try mount.root().setOwner(of: "h", uid: 5, gid: 6)
        try mount.rename("d/g", to: "e/renamed")
        try mount.link("d/f", to: "e/linked")
        try mount.rename("e", to: "moved")
        try mount.unmount()
        try withOverlay(mount) { point in
            for name: ByteString in ["d/f", "moved/linked", "moved/renamed", "h", "i"] {
                let file = try Descriptor.open(point.appending(name), O_RDONLY)
                #expect(try file.readAll(limit: 1 << 20) == Self.bytes, "\(name)")
            }
            #expect(try FileStatus.of(point.appending("d/f")).mode & 0o777 == 0o600)
            #expect(try FileStatus.of(point.appending("moved/linked")).mode & 0o777 == 0o600)
            #expect(try FileStatus.of(point.appending("h")).uid == 5)
            #expect(throws: Errno.noSuchFileOrDirectory) { try FileStatus.of(point.appending("d/g")) }
            // And back: what the kernel copies up this mount must read.
            let directory = try Descriptor.open(point, O_RDONLY | O_DIRECTORY)
            try directory.setPermissions(of: "moved/renamed", 0o640)
            try directory.setPermissions(of: "big", 0o604)
            try directory.rename("big", to: directory, "d/bigger")
        }
        try mount.remount()
        #expect(try mount.open("d/bigger", O_RDONLY).readAll(limit: 4 << 20) == LazyCopyTests.large)
        #expect(try mount.status("d/bigger").mode & 0o777 == 0o604)
        #expect(try mount.status("moved/renamed").mode & 0o777 == 0o640)
        #expect(try mount.open("moved/renamed", O_RDONLY).readAll(limit: 1 << 20) == Self.bytes)
    }

    /// Kernels before 6.6 show the lower file instead.
    @Test func blockMappedFilesAreRefused() throws {
        let mount = try layers()
        try mount.open("big", O_RDWR).writeAll([1].raw, at: 100)
        try mount.unmount()
        try withOverlay(mount) { point in
            #expect(throws: Errno.ioError) { try FileStatus.of(point.appending("big")) }
        }
    }
}
