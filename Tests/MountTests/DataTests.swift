// Bytes: reading and writing at every offset, holes, ranges and shared mappings.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct DataTests {
    static let bytes = (0..<200_003).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }

    @Test func readsEverySize() throws {
        let sizes = [1, 511, 512, 513, 4_096, 65_535, 65_536, 200_003]
        let mount = try MountedSandbox(
            sizes.map { .file(ByteString("f\($0)"), bytes: Array(Self.bytes[..<$0])) })
        for size in sizes {
            let file = try mount.open(ByteString("f\(size)"), O_RDONLY)
            #expect(try file.readAll(limit: 1 << 20) == Array(Self.bytes[..<size]))
            #expect(try file.readBytes(at: Int64(size) - 1, count: 10) == [Self.bytes[size - 1]])
            #expect(try file.readBytes(at: Int64(size), count: 10) == [])
            #expect(try file.status().size == Int64(size))
        }
    }

    @Test func holesAndAllocation() throws {
        let mount = try MountedSandbox([.file("low", bytes: Self.bytes)])
        let file = try mount.open("new", O_RDWR | O_CREAT)
        try file.writeAll([1].raw, at: 1 << 20)
        #expect(try file.seek(to: 0, whence: SeekFlag.data) > 0)
        #expect(try file.seek(to: 0, whence: SeekFlag.hole) == 0)
        try file.allocate(mode: 0, offset: 0, length: 2 << 20)
        #expect(try file.status().size == 2 << 20)
        let low = try mount.open("low", O_RDONLY)
        #expect(try low.seek(to: 5, whence: SeekFlag.data) == 5)
        #expect(try low.seek(to: 5, whence: SeekFlag.hole) == Int64(Self.bytes.count))
        #expect(throws: Errno.noSuchAddressOrDevice) {
            try low.seek(to: Int64(Self.bytes.count), whence: SeekFlag.data)
        }
    }

    /// An object that is a sparse file shows its holes.
    @Test func holesOfTheLayers() throws {
        var bytes = [UInt8](repeating: 0, count: 300_000)
        bytes[200_000] = 1
        let mount = try MountedSandbox([.file("low", bytes: bytes)])
        let hex = SHA256.digest(of: bytes.raw).hex
        let object = try Descriptor.open(
            mount.store.path.appending(ByteString("objects/\(hex.prefix(2))/\(hex.dropFirst(2))")), O_RDWR)
        // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        try object.allocate(mode: 3, offset: 0, length: 196_608)
        let low = try mount.open("low", O_RDONLY)
        #expect(try low.seek(to: 0, whence: SeekFlag.data) == 196_608)
        #expect(try low.seek(to: 100, whence: SeekFlag.hole) == 100)
        #expect(try low.seek(to: 200_000, whence: SeekFlag.hole) == 300_000)
        #expect(try low.readAll(limit: 1 << 20) == bytes)
    }

    @Test func copiesRanges() throws {
        let mount = try MountedSandbox([
            .file("low", bytes: Array(Self.bytes[..<5_000])), .file("big", bytes: Self.bytes),
        ])
        for name: ByteString in ["low", "big"] {
            let source = try mount.open(name, O_RDONLY)
            let copy = try mount.open(name + ".copy", O_RDWR | O_CREAT)
            var done = 0
            while true {
                let count = try copy.copyRange(
                    from: source, sourceOffset: Int64(done), to: Int64(done), count: 1 << 20)
                if count == 0 { break }
                done += count
            }
            #expect(try copy.readAll(limit: 1 << 20) == source.readAll(limit: 1 << 20))
        }
    }

    @Test func appendsFromTwoDescriptors() throws {
        let mount = try MountedSandbox([.file("log", "0")])
        let one = try mount.open("log", O_WRONLY | O_APPEND)
        let two = try mount.open("log", O_WRONLY | O_APPEND)
        for round in 1...3 {
            try one.writeAll(Array("a\(round)".utf8))
            try two.writeAll(Array("b\(round)".utf8))
        }
        #expect(try mount.read("log") == "0a1b1a2b2a3b3")
    }

    @Test func sharedMappingsReachTheFile() throws {
        let mount = try MountedSandbox([.file("f", bytes: Self.bytes)])
        try mount.open("f", O_RDWR).writeThroughMapping(at: 150_000, of: Self.bytes.count)
        #expect(try mount.open("f", O_RDONLY).readBytes(at: 150_000, count: 1) == [0xEE])
        try mount.remount()
        #expect(try mount.open("f", O_RDONLY).readBytes(at: 150_000, count: 1) == [0xEE])
    }

    @Test func reportsTheFilesystem() throws {
        let mount = try MountedSandbox([.directory("d")])
        let inside = try mount.root().filesystemStatus()
        let outside = try mount.store.descriptor.filesystemStatus()
        #expect(inside.blocks * inside.fragmentSize == outside.blocks * outside.fragmentSize)
        try mount.open("d", O_RDONLY | O_DIRECTORY).sync()
    }
}
