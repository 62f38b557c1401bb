// Files that the kernel reads and writes without asking: that it does, that the layers never change
// by it, and that what stat shows stays true.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct PassthroughTests {
    static let large = CopyUpTests.large
    static let on: [ByteString] = ["--data", "passthrough"]

    static func mount(_ layers: [FixtureEntry]..., options: [ByteString] = on) throws -> MountedSandbox {
        try MountedSandbox(layers: layers, options: options)
    }

    /// Fails the test when an object of the store does not have the digest that names it.
    private func checkObjects(_ mount: MountedSandbox) throws {
        let objects = try mount.store.descriptor.openDirectory("objects")
        for directory in try objects.entries() {
            let inner = try objects.openDirectory(directory.name)
            for entry in try inner.entries() {
                let bytes = try inner.open(entry.name, O_RDONLY).readAll(limit: 64 << 20)
                #expect(ByteString(SHA256.digest(of: bytes.raw).hex) == directory.name + entry.name)
            }
        }
    }

    @Test func objectsAreReadWithoutTheServer() throws {
        let mount = try Self.mount([.file("big", bytes: Self.large), .file("small", "text")])
        let big = try mount.open("big", O_RDONLY)
        let small = try mount.open("small", O_RDONLY)
        var bytes: [UInt8] = []
        let large = try mount.whileServerSleeps { bytes = try big.readAll(limit: 1 << 20) }
        #expect(large && bytes == Self.large)
        // The test's own test: these bytes are asked for, once the kernel dropped what the open brought.
        #expect(posix_fadvise(small.rawValue, 0, 0, POSIX_FADV_DONTNEED) == 0)
        let other = try mount.whileServerSleeps { bytes = try small.readAll(limit: 99) }
        #expect(!other && bytes == Array("text".utf8))
    }

    @Test func withoutPassthroughTheServerIsAsked() throws {
        let mount = try Self.mount([.file("big", bytes: Self.large)], options: ["--no-passthrough"])
        let big = try mount.open("big", O_RDONLY)
        var bytes: [UInt8] = []
        let isAlone = try mount.whileServerSleeps { bytes = try big.readAll(limit: 1 << 20) }
        #expect(!isAlone && bytes == Self.large)
    }

    @Test func newFilesAreWrittenWithoutTheServer() throws {
        let mount = try Self.mount([.directory("d")])
        let file = try mount.open("d/new", O_RDWR | O_CREAT)
        let nameless = try mount.open("d", OpenFlag.temporary | O_RDWR, permissions: 0o600)
        // The first write asks for file capabilities.
        try file.writeAll([1].raw, at: 0)
        try nameless.writeAll([1].raw, at: 0)
        var bytes: [UInt8] = []
        let isAlone = try mount.whileServerSleeps {
            try file.writeAll(Self.large.raw, at: 0)
            try nameless.writeAll(Self.large.raw, at: 0)
            bytes = try file.readBytes(at: 0, count: Self.large.count)
        }
        #expect(isAlone && bytes == Self.large)
        #expect(try file.status().size == Int64(Self.large.count))
        #expect(try nameless.status().size == Int64(Self.large.count))
        #expect(try mount.status("d/new").size == Int64(Self.large.count))
        try file.truncate(to: 10)
        #expect(try mount.read("d/new").utf8.count == 10)
    }

    /// Test number one: no way to write reaches an object.
    @Test(arguments: [false, true])
    func objectsNeverChange(_ isBeingRead: Bool) throws {
        let names: [ByteString] = [
            "write", "map", "cut", "truncate", "append", "direct", "allocate", "range",
        ]
        let mount = try Self.mount(
            names.enumerated().map { .file($0.element, bytes: Self.large + [UInt8($0.offset)]) })
        var readers = isBeingRead ? try names.map { SharedDescriptor(try mount.open($0, O_RDONLY)) } : []
        try mount.open("write", O_RDWR).writeAll([9, 9].raw, at: 70_000)
        try mount.open("map", O_RDWR).writeThroughMapping(at: 100_000, of: Self.large.count)
        _ = try mount.open("cut", O_WRONLY | O_TRUNC)
        try mount.open("truncate", OpenFlag.path).setPathSize(1_000)
        try mount.append("append", "more")
        try mount.open("direct", O_RDWR | OpenFlag.direct).writeBlock(at: 0)
        // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        try mount.open("allocate", O_RDWR).allocate(mode: 3, offset: 0, length: 100_000)
        _ = try mount.open("range", O_RDWR).copyRange(
            from: mount.open("write", O_RDONLY), sourceOffset: 0, to: 50_000, count: 90_000)
        try checkObjects(mount)
        for reader in readers {
            #expect(try reader.descriptor.readBytes(at: 0, count: 100_000) == Array(Self.large[..<100_000]))
        }
        readers = []
        try mount.remount()
        try checkObjects(mount)
        #expect(try mount.open("map", O_RDONLY).readBytes(at: 100_000, count: 1) == [0xEE])
        #expect(try mount.status("cut").size == 0)
        #expect(try mount.status("truncate").size == 1_000)
    }

    @Test func readersFromBeforeTheFirstWriteKeepTheirBytes() throws {
        let mount = try Self.mount([.file("f", bytes: Self.large), .hardLink("g", "f")])
        let reader = try mount.open("f", O_RDONLY)
        let inode = try mount.status("f").inode
        let writer = try mount.open("f", O_RDWR)
        try writer.writeAll([9, 9, 9].raw, at: 200_000)
        try writer.truncate(to: 250_000)
        #expect(try reader.readAll(limit: 1 << 20) == Self.large)
        #expect(try reader.seek(to: 0, whence: SeekFlag.hole) == Int64(Self.large.count))
        let copy = try mount.open("copy", O_RDWR | O_CREAT)
        let copied = try copy.copyRange(from: reader, sourceOffset: 199_999, to: 0, count: 10)
        #expect(try copy.readBytes(at: 0, count: copied) == Array(Self.large[199_999..<200_009]))
        for name: ByteString in ["f", "g"] {
            #expect(
                try mount.open(name, O_RDONLY).readBytes(at: 199_999, count: 3) == [
                    Self.large[199_999], 9, 9,
                ])
            #expect(try mount.status(name).size == 250_000)
            #expect(try mount.status(name).inode == inode)
            #expect(try mount.status(name).linkCount == 2)
        }
        // Attributes are the file's, whichever way they are changed or asked for.
        try reader.setPermissions(0o640)
        try mount.root().setTimes(of: "g", atime: .keep, mtime: .set(Timestamp(seconds: 77)))
        for status in try [reader.status(), writer.status(), mount.status("f"), mount.status("g")] {
            #expect(status.mode & 0o777 == 0o640 && status.inode == inode && status.size == 250_000)
            #expect(status.mtime == Timestamp(seconds: 77))
        }
        try mount.remove("g")
        for status in try [reader.status(), writer.status(), mount.status("f")] {
            #expect(status.linkCount == 1)
        }
        try mount.remove("f")
        #expect(try reader.status().linkCount == 0)
        #expect(try writer.readBytes(at: 200_000, count: 1) == [9])
        #expect(try reader.readBytes(at: 200_000, count: 1) == [Self.large[200_000]])
    }

    @Test func aReadersDescriptorIsNotOpenedAgain() throws {
        let mount = try Self.mount([.file("f", bytes: Self.large)])
        let reader = try mount.open("f", O_RDONLY)
        let again = reader.processPath
        #expect(try Descriptor.open(again, O_RDONLY).readBytes(at: 0, count: 1) == [Self.large[0]])
        #expect(throws: Errno.staleNFSFileHandle) { _ = try Descriptor.open(again, O_RDWR) }
        try mount.append("f", "+")
        #expect(throws: Errno.staleNFSFileHandle) { _ = try Descriptor.open(again, O_RDONLY) }
        #expect(try mount.status("f").size == Int64(Self.large.count + 1))
    }

    /// Whoever finds the name after a change gets a descriptor that can be opened again.
    @Test(arguments: [true, false])
    func namesLeadToTheNewNumberAtOnce(_ isCut: Bool) throws {
        let mount = try Self.mount([.file("d/f", bytes: Self.large), .hardLink("g", "d/f")])
        let reader = try mount.open("d/f", O_RDONLY)
        _ = try mount.status("g")
        if isCut {
            try mount.open("d/f", OpenFlag.path).setPathSize(72_331)
        } else {
            try mount.append("d/f", "+")
        }
        for name: ByteString in ["d/f", "g"] {
            let handle = try mount.open(name, OpenFlag.path)
            let bytes = try handle.reopen(O_RDONLY).readAll(limit: 1 << 20)
            #expect(bytes.count == (isCut ? 72_331 : Self.large.count + 1))
        }
        #expect(try reader.readAll(limit: 1 << 20) == Self.large)
    }

    @Test func truncationByPathLeavesReadersAlone() throws {
        let mount = try Self.mount([.file("f", bytes: Self.large)])
        let reader = try mount.open("f", O_RDONLY)
        #expect(
            try mount.shell("truncate -s 5 f; stat -c %s f; truncate -s 70000 f; stat -c %s f") == [
                "5", "70000",
            ])
        #expect(try reader.readAll(limit: 1 << 20) == Self.large)
        var expected = [UInt8](repeating: 0, count: 70_000)
        expected.replaceSubrange(0..<5, with: Self.large[..<5])
        #expect(try mount.open("f", O_RDONLY).readAll(limit: 1 << 20) == expected)
        #expect(try mount.shell(": > f; stat -c %s f") == ["0"])
        #expect(try reader.readBytes(at: 0, count: 10) == Array(Self.large[..<10]))
    }

    /// A file whose attributes alone were changed is still the object.
    @Test func changedAttributesKeepTheWay() throws {
        let mount = try Self.mount([.file("f", bytes: Self.large)])
        let before = try mount.open("f", O_RDONLY)
        try mount.root().setPermissions(of: "f", 0o600)
        let after = try mount.open("f", O_RDONLY)
        var bytes: [UInt8] = []
        let isAlone = try mount.whileServerSleeps {
            bytes = try before.readBytes(at: 0, count: 1_000)
            bytes += try after.readBytes(at: 1_000, count: Self.large.count)
        }
        #expect(isAlone && bytes == Self.large)
        try mount.append("f", "+")
        #expect(try mount.status("f").size == Int64(Self.large.count + 1))
        #expect(try mount.status("f").mode & 0o777 == 0o600)
    }

    @Test func statTellsEveryChange() throws {
        let mount = try Self.mount([.file("low", bytes: Self.large)])
        let path = mount.sandbox.appending("upper/f")
        let file = try mount.open("f", O_RDWR | O_CREAT)
        func check(_ what: String) throws {
            let (seen, real) = try (mount.status("f"), FileStatus.of(path))
            #expect(seen.size == real.size, "\(what)")
            #expect(seen.mtime == real.mtime, "\(what)")
            #expect(seen.ctime == real.ctime, "\(what)")
            #expect(seen.blocks == real.blocks, "\(what)")
        }
        try check("create")
        try file.writeAll(Self.large.raw, at: 0)
        try check("write")
        usleep(20_000)
        try file.writeThroughMapping(at: 5, of: Self.large.count)
        try check("mapping")
        try mount.append("f", "more")
        try check("append")
        try file.allocate(mode: 0, offset: 0, length: 1 << 20)
        try check("allocate")
        try file.truncate(to: 777)
        try check("truncate")
        let source = try mount.open("low", O_RDONLY)
        _ = try file.copyRange(from: source, sourceOffset: 0, to: 10_000, count: 100_000)
        try check("range")
        #expect(
            try mount.shell(
                "cat low >> f; dd if=low of=f bs=64k oflag=direct conv=notrunc status=none count=2") == [])
        try check("shell")
    }

    /// A mapping outlives its descriptor, and nobody tells the server what is written through it.
    @Test func writesThroughAMappingAreSeenAfterTheClose() throws {
        let mount = try Self.mount([.directory("d")])
        try mount.write("d/f", String(repeating: "x", count: 10_000))
        let before = try mount.status("d/f").mtime
        let memory = try unsafe mount.open("d/f", O_RDWR).map(10_000)
        #expect(try mount.status("d/f").mtime == before)
        usleep(20_000)
        // SAFETY: the mapping has 10 000 bytes.
        unsafe memory.storeBytes(of: 0x41, toByteOffset: 0, as: UInt8.self)
        #expect(try mount.status("d/f").mtime > before)
        #expect(try mount.open("d/f", O_RDONLY).readBytes(at: 0, count: 2) == [0x41, 0x78])
        unsafe munmap(memory, 10_000)
    }

    /// One more filesystem fits on top, as a container engine inside a container wants it.
    @Test func overlayfsStandsOnTheMount() throws {
        let mount = try Self.mount([
            .file("lower/big", bytes: Self.large), .directory("up"), .directory("at"),
        ])
        for name: ByteString in ["o", "o/upper", "o/work", "o/at"] {
            try mount.store.descriptor.makeDirectory(name, permissions: 0o755)
        }
        let place = mount.store.path.appending("o")
        let script = """
            mount -t overlay none -o lowerdir=$PWD/lower,upperdir=\(place)/upper,workdir=\(place)/work \(place)/at \
            && sha256sum < \(place)/at/big; umount \(place)/at
            """
        #expect(try mount.shell(script) == ["\(SHA256.digest(of: Self.large.raw).hex)  -"])
    }

    /// Readers and writers of the same files at once meet no error, and no reader a mixture.
    @Test func manyOpenTheSameFiles() throws {
        let names = (0..<12).map { ByteString("f\($0)") }
        let mount = try Self.mount(names.map { .file($0, bytes: Self.large) })
        let script = """
            for w in 1 2 3 4; do (for f in f*; do head -c 1 $f > /dev/null || echo "read $f"; done) & done
            for w in 1 2; do (for f in f*; do printf 'X' | dd of=$f bs=1 seek=$((w * 1000)) conv=notrunc \
            status=none || echo "write $f"; done) & done
            for w in 1 2 3; do (for f in f*; do cat $f | wc -c | grep -qx 300000 || echo "size $f"; done) & done
            for w in 1 2; do (for f in f*; do chmod 60$w $f || echo "chmod $f"; done) & done
            wait
            """
        #expect(try mount.shell(script) == [])
        for name in names {
            let file = try mount.open(name, O_RDONLY)
            #expect(try file.readBytes(at: 1_000, count: 1) == [0x58])
            #expect(try file.readBytes(at: 2_000, count: 1) == [0x58])
        }
        try checkObjects(mount)
    }
}

extension Descriptor {
    /// Writes one aligned block, as direct input and output wants it.
    fileprivate borrowing func writeBlock(at offset: Int) {
        // SAFETY: allocated and freed here.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)
        defer { unsafe memory.deallocate() }
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0xDD)
        let written = unsafe pwrite(rawValue, memory.baseAddress, 4096, offset)
        #expect(written == 4096)
    }

    /// A shared writable mapping of the file's first bytes.
    @unsafe
    fileprivate borrowing func map(_ count: Int) throws -> UnsafeMutableRawPointer {
        let memory = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, rawValue, 0)
        let start = try unsafe #require(memory)
        try unsafe #require(start != UnsafeMutableRawPointer(bitPattern: -1))
        return unsafe start
    }
}
