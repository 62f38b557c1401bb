import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

/// What is written is read back the same, by our reader; other tools judge it in CommandTests.
@Suite struct TarHeaderWriterTests {
    private static let long = ByteString(String(repeating: "directory/", count: 30) + "name")

    /// Entries with something at each bound.
    static let entries: [TarEntry] = {
        func entry(
            _ path: ByteString, _ kind: TarEntryKind, _ type: FileType = .regular, uid: UInt32 = 0,
            mtime: Timestamp = Timestamp(seconds: 0), size: UInt64 = 0
        ) -> TarEntry {
            TarEntry(
                path: path, kind: kind,
                attributes: FileAttributes(type: type, permissions: 0o6755, uid: uid, gid: uid, mtime: mtime),
                size: size)
        }
        var all = [
            entry("", .directory, .directory), entry("d", .directory, .directory),
            entry("f", .file, uid: 2_097_151, size: 3), entry("g", .file, uid: 2_097_152),
            entry("h", .file, uid: .max - 1),
            entry(long, .file), entry(long + "/", .directory, .directory),
            entry(ByteString(String(repeating: "n", count: 100)), .file),
            entry(ByteString(String(repeating: "n", count: 101)), .file),
            entry(ByteString([0x66, 0xFF, 0x20]), .file), entry(long + ByteString([0xFF]), .file),
            entry("s", .symlink(target: "t"), .symlink), entry("l", .symlink(target: long), .symlink),
            entry("k", .hardLink(target: "f")), entry("m", .hardLink(target: long)),
            entry("p", .fifo, .fifo),
        ]
        let times: [(Int64, UInt32)] = [
            (1, 1), (1, 999_999_999), (1, 500_000_000), (-1, 0), (-2, 250_000_000), (-1, 999_999_999),
            (8_589_934_591, 0), (8_589_934_592, 0), (253_402_300_800, 5),
        ]
        for (index, time) in times.enumerated() {
            all.append(
                entry(ByteString("t\(index)"), .file, mtime: Timestamp(seconds: time.0, nanoseconds: time.1)))
        }
        var device = entry("c", .device, .characterDevice)
        device.attributes.device = DeviceNumber(major: 4095, minor: 1_048_575)
        var attributed = entry("x", .file)
        attributed.extendedAttributes = [
            ExtendedAttribute(name: "security.capability", value: [1, 0, 0, 2]),
            ExtendedAttribute(name: "user.a=b\n", value: []),
            ExtendedAttribute(name: "user.long", value: noise(5000, seed: 1)),
        ].filter { !$0.name.bytes.contains(UInt8(ascii: "=")) }
        return all + [device, attributed]
    }()

    @Test func comesBack() throws {
        var tar: [UInt8] = []
        for entry in Self.entries {
            tar += TarHeaderWriter.header(of: entry)
            tar += [UInt8](repeating: 7, count: Int(entry.size))
            tar += [UInt8](repeating: 0, count: TarHeaderWriter.padding(behind: entry.size))
        }
        tar += TarHeaderWriter.end
        let read = try parse(tar)
        #expect(read.count == Self.entries.count)
        for (read, var expected) in zip(read, Self.entries) {
            // A trailing slash is no part of a path.
            if expected.path.bytes.last == UInt8(ascii: "/") {
                expected.path = ByteString(expected.path.bytes.dropLast())
            }
            // Linux keeps no permissions of symlinks.
            if expected.attributes.type == .symlink { expected.attributes.permissions = 0o777 }
            #expect(read.entry == expected)
        }
    }

    /// No extended header where the plain one will do, and never one that differs between two writings.
    @Test func extendsOnlyWhereNeeded() {
        for entry in Self.entries {
            #expect(TarHeaderWriter.header(of: entry) == TarHeaderWriter.header(of: entry))
        }
        let plain = TarHeaderWriter.header(of: Self.entries[2])
        #expect(plain.count == 512 && plain[156] == UInt8(ascii: "0"))
        #expect(TarHeaderWriter.header(of: Self.entries[3])[156] == UInt8(ascii: "x"))
    }

    @Test func sparse() throws {
        let segments: [Range<UInt64>] = [0..<10, 100_000..<100_700, 5_000_000..<5_000_001]
        let map = try #require(SparseMap(size: 1 << 32, segments: segments))
        var entry = TarEntry(
            path: Self.long, kind: .file, attributes: FileAttributes(type: .regular, permissions: 0o644))
        entry.sparse = map
        var tar = TarHeaderWriter.header(of: entry)
        tar += [UInt8](repeating: 9, count: 711)
        tar += [UInt8](repeating: 0, count: TarHeaderWriter.padding(behind: 711)) + TarHeaderWriter.end
        let read = try parse(tar)
        #expect(read.count == 1 && read[0].entry.path == Self.long && read[0].entry.sparse == map)
        #expect(SparseMap(size: 5, segments: [0..<6]) == nil)
        #expect(SparseMap(size: 9, segments: [3..<6, 5..<7]) == nil)
        #expect(SparseMap(size: 9, segments: [3..<3]) == nil)
    }
}
