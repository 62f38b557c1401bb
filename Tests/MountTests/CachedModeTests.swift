// What is particular to `--data cached`, where the kernel opens files without asking. All other
// mount tests run in this mode too, with LAMINA_TEST_MOUNT='--data cached'.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct CachedModeTests {
    private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) } }

    private func mount(_ entries: [FixtureEntry]) throws -> MountedSandbox {
        try MountedSandbox(layers: [entries], options: ["--data", "cached"])
    }

    private func upperHas(_ mount: MountedSandbox, _ name: ByteString) -> Bool {
        (try? FileStatus.of(mount.sandbox.appending("upper").appending(name))) != nil
    }

    @Test func openingForWritingCopiesNothing() throws {
        let mount = try mount([.file("f", "layer")])
        let file = try mount.open("f", O_RDWR)
        #expect(!upperHas(mount, "f"))
        try file.writeAll(Array("LA".utf8).raw, at: 0)
        try file.sync()
        _ = consume file
        #expect(upperHas(mount, "f"))
        #expect(try mount.read("f") == "LAyer")
        try mount.remount()
        #expect(try mount.read("f") == "LAyer")
    }

    @Test func truncatingWhileOpening() throws {
        let mount = try mount([.file("f", "layer"), .file("big", bytes: pattern(3 << 20))])
        for name: ByteString in ["f", "big"] {
            let reader = try mount.open(name, O_RDONLY)
            try mount.write(name, "new")
            #expect(try reader.readAll(limit: 4 << 20) == Array("new".utf8))
        }
        try mount.remount()
        #expect(try mount.read("f") == "new")
        #expect(try mount.read("big") == "new")
    }

    /// The kernel never says that a file is closed.
    @Test func madeFilesDoNotStayOpen() throws {
        let mount = try mount([.directory("d")])
        func descriptors() throws -> Int {
            try Descriptor.open(ByteString("/proc/\(mount.server())/fd"), O_RDONLY | O_DIRECTORY).entries()
                .count
        }
        let before = try descriptors()
        for number in 0..<2_000 { try mount.write(ByteString("d/f\(number)"), "\(number)") }
        #expect(try descriptors() < before + 600)
        for number in 0..<2_000 { #expect(try mount.read(ByteString("d/f\(number)")) == "\(number)") }
    }

    /// More files than the server keeps open, all open for writing, half of them without a name.
    @Test func moreFilesThanStayOpen() throws {
        let names = (0..<800).map { ByteString("d/f\($0)") }
        let mount = try mount(names[..<400].map { .file($0, "old") })
        var files: [SharedDescriptor] = []
        for name in names { files.append(SharedDescriptor(try mount.open(name, O_RDWR | O_CREAT))) }
        for (index, file) in files.enumerated() {
            try file.descriptor.writeAll(Array("new\(index)".utf8).raw, at: 0)
            if index % 2 == 0 { try mount.remove(names[index]) }
        }
        try mount.root().syncFilesystem()
        for (index, file) in files.enumerated() {
            // The kernel forgets what it knows, and asks.
            posix_fadvise(file.descriptor.rawValue, 0, 0, POSIX_FADV_DONTNEED)
            let bytes = try file.descriptor.readBytes(at: 0, count: 100)
            #expect(bytes == Array("new\(index)".utf8))
        }
        files = []
        try mount.remount()
        #expect(try mount.list("d").count == 400)
        for index in stride(from: 1, to: 800, by: 2) {
            #expect(try mount.read(names[index]) == "new\(index)")
        }
    }

    /// Written through a mapping that outlives its descriptor.
    @Test func mappingsOutliveTheirDescriptor() throws {
        let bytes = pattern(200_000)
        let mount = try mount([.file("f", bytes: bytes)])
        try mount.open("f", O_RDWR).writeThroughMapping(at: 150_000, of: bytes.count)
        var expected = bytes
        expected[150_000] = 0xEE
        try mount.remount()
        #expect(try mount.open("f", O_RDONLY).readAll(limit: 1 << 20) == expected)
    }

    @Test func unmountingLosesNothing() throws {
        let mount = try mount([.file("f", bytes: pattern(2 << 20))])
        let file = try mount.open("f", O_RDWR)
        for index in 0..<100 { try file.writeAll([UInt8(index)].raw, at: Int64(index * 20_000)) }
        try mount.write("new", "text")
        _ = consume file
        try mount.remount()
        let bytes = try mount.open("f", O_RDONLY).readAll(limit: 4 << 20)
        #expect((0..<100).allSatisfy { bytes[$0 * 20_000] == UInt8($0) })
        #expect(bytes.count == 2 << 20)
        #expect(try mount.read("new") == "text")
    }

    @Test func timesThatWereSetStay() throws {
        let mount = try mount([.file("f", "layer")])
        try mount.append("f", " and more")
        let time = Timestamp(seconds: 1_000_000_000, nanoseconds: 123_456_789)
        try mount.open("f", O_RDONLY).setTimes(atime: .set(time), mtime: .set(time))
        #expect(try mount.status("f").mtime == time)
        try mount.remount()
        #expect(try mount.status("f").mtime == time)
        #expect(try mount.read("f") == "layer and more")
        try mount.append("f", "!")
        let written = try mount.status("f").mtime
        #expect(written > time)
        try mount.remount()
        #expect(try mount.status("f").mtime == written)
    }
}
