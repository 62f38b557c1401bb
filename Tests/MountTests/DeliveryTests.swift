// Small files of the layers, whose bytes the kernel has before it asks for them.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct DeliveryTests {
    private static let read = 15

    private func text(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
    }

    private func reads(_ mount: MountedSandbox) throws -> UInt64 {
        let file = try Descriptor.open(mount.sandbox.appending("stats"), O_RDONLY)
        let bytes = try file.readAll(limit: CounterFormat.fileSize)
        return try CounterSnapshot(bytes.raw).operation(Self.read).requests
    }

    @Test func theFirstOpenBringsTheBytes() throws {
        // Around whole pages and the largest that is no object.
        let sizes = [1, 4_095, 4_096, 4_097, 65_535]
        let mount = try MountedSandbox(
            layers: [sizes.map { .file(ByteString("f\($0)"), bytes: text($0, $0)) } + [.file("none", "")]],
            options: ["--no-passthrough"])
        for size in sizes {
            #expect(
                try mount.open(ByteString("f\(size)"), O_RDONLY).readAll(limit: 1 << 17) == text(size, size))
        }
        #expect(try mount.open("none", O_RDONLY).readAll(limit: 9).isEmpty)
        #expect(try reads(mount) == 0)
        // What the kernel dropped is asked for.
        for size in sizes {
            let file = try mount.open(ByteString("f\(size)"), O_RDONLY)
            #expect(posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED) == 0)
            #expect(try file.readAll(limit: 1 << 17) == text(size, size))
        }
        #expect(try reads(mount) > 0)
    }

    private static let files = 300
    private static let size = 6_000

    private static func read(_ number: Int, in directory: SharedDescriptor) throws -> Int {
        let file = try directory.descriptor.open(ByteString("f\(number)"), O_RDONLY)
        return try file.readAll(limit: 1 << 16).count
    }

    private static func write(_ number: Int, _ bytes: [UInt8], in directory: SharedDescriptor) throws {
        let file = try directory.descriptor.open(ByteString("f\(number)"), O_WRONLY)
        try file.writeAll(bytes.raw, at: 0)
    }

    /// Reads each file for the first time and overwrites it, on two threads.
    private func readBesideWriting(_ mount: MountedSandbox) throws {
        let directory = SharedDescriptor(try mount.root())
        let reader = try Worker(directory) { directory in
            for number in 0..<Self.files {
                let count = try? Self.read(number, in: directory)
                #expect(count == Self.size)
            }
        }
        let writer = try Worker(directory) { [self] directory in
            for number in 0..<Self.files {
                let isWritten: Void? = try? Self.write(number, text(number + 1, Self.size), in: directory)
                #expect(isWritten != nil)
            }
        }
        reader.join()
        writer.join()
    }

    /// Whatever first readers saw beside writers, what was written stays.
    @Test func noWriteIsLostToADelivery() throws {
        let mount = try MountedSandbox(
            (0..<Self.files).map { .file(ByteString("f\($0)"), bytes: text($0, Self.size)) })
        try readBesideWriting(mount)
        for again in [false, true] {
            if again { try mount.remount() }
            for number in 0..<Self.files {
                let bytes = try mount.open(ByteString("f\(number)"), O_RDONLY).readAll(limit: 1 << 16)
                #expect(bytes == text(number + 1, Self.size), "file \(number), mounted again: \(again)")
            }
        }
    }
}
