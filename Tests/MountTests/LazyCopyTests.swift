// Copy-up through a real mount moves only what is written, never touches an object, and
// leaves a sandbox that kernel overlayfs reads.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct LazyCopyTests {
    static let large = CopyUpTests.large + CopyUpTests.large + CopyUpTests.large + CopyUpTests.large

    private func object(_ mount: MountedSandbox, _ digest: Digest) -> ByteString {
        mount.store.path.appending(
            ByteString("objects/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))"))
    }

    private func upper(_ mount: MountedSandbox, _ path: ByteString) throws -> FileStatus {
        try FileStatus.of(mount.sandbox.appending("upper").appending(path))
    }

    @Test func oneByteIntoTenGibibytes() throws {
        let mount = try MountedSandbox([.sparse("huge", 10 << 30, bytes: Self.large)])
        try mount.open("huge", O_RDWR).writeAll([0xAB].raw, at: 7 << 30)
        for _ in 0..<2 {
            #expect(try mount.status("huge").size == 10 << 30)
            #expect(try upper(mount, "huge").blocks * 512 < 1 << 20)
            try checkHuge(mount.open("huge", O_RDONLY))
            try mount.remount()
        }
    }

    private func checkHuge(_ file: borrowing Descriptor) throws {
        let start = try file.readBytes(at: 0, count: Self.large.count)
        let changed = try file.readBytes(at: 7 << 30 - 1, count: 3)
        let data = try file.seek(to: 1 << 30, whence: SeekFlag.data)
        #expect(start == Self.large)
        #expect(changed == [0, 0xAB, 0])
        #expect(data == 7 << 30)
    }

    /// Every way to write into a file whose bytes are an object's.
    @Test func objectsOfMappedFilesNeverChange() throws {
        let digest = SHA256.digest(of: Self.large.raw)
        let mount = try MountedSandbox([.file("f", bytes: Self.large)])
        try mount.open("f", O_RDWR).writeThroughMapping(at: 500_000, of: Self.large.count)
        try mount.open("f", O_RDWR).writeAll([1, 2, 3].raw, at: 65_535)
        try writeAligned(mount.open("f", O_WRONLY | OpenFlag.direct), at: 1 << 20)
        try mount.open("f", O_RDWR).sync()
        var expected = Self.large
        expected[500_000] = 0xEE
        expected.replaceSubrange(65_535..<65_538, with: [1, 2, 3])
        expected.replaceSubrange(1 << 20..<1 << 20 + 4096, with: [UInt8](repeating: 0xDD, count: 4096))
        for _ in 0..<2 {
            #expect(try mount.open("f", O_RDONLY).readAll(limit: 4 << 20) == expected)
            #expect(try upper(mount, "f").blocks * 512 <= 300 << 10)
            try mount.remount()
        }
        let bytes = try Descriptor.open(object(mount, digest), O_RDONLY).readAll(limit: 4 << 20)
        #expect(SHA256.digest(of: bytes.raw) == digest)
    }

    private func writeAligned(_ file: borrowing Descriptor, at offset: Int64) throws {
        // SAFETY: allocated and freed here; the span is used before.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)
        defer { unsafe memory.deallocate() }
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0xDD)
        let written = unsafe pwrite(file.rawValue, memory.baseAddress, 4096, Int(offset))
        #expect(written == 4096)
    }

    @Test func aKilledServerLosesNoBlock() throws {
        let mount = try MountedSandbox([.file("f", bytes: Self.large)])
        try mount.open("f", O_RDWR).writeAll([7, 8].raw, at: 1_000_000)
        try mount.killServer()
        #expect(
            try mount.open("f", O_RDONLY).readBytes(at: 999_999, count: 4)
                == [Self.large[999_999], 7, 8, Self.large[1_000_002]])
        #expect(try mount.open("f", O_RDONLY).readBytes(at: 0, count: 100) == Array(Self.large[..<100]))
    }

    @Test func openingForWritingKeepsAttributes() throws {
        let mount = try MountedSandbox([.file("f", bytes: Self.large, 0o4755)])
        try mount.root().setTimes(of: "f", atime: .keep, mtime: .set(Timestamp(seconds: 77)))
        _ = try mount.open("f", O_RDWR)
        #expect(try mount.status("f").mode & 0o7777 == 0o4755)
        #expect(try mount.status("f").mtime == Timestamp(seconds: 77))
    }
}
