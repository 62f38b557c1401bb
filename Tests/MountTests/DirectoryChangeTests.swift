// Directories that change while they are read: what stays is seen exactly once.

import CLinux
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct DirectoryChangeTests {
    /// A directory of 300 names of the layers and 300 of the sandbox.
    private static func mixed() throws -> MountedSandbox {
        let mount = try MountedSandbox((0..<300).map { .file(ByteString("d/low\($0)"), "x") })
        for index in 0..<300 { try mount.write(ByteString("d/up\(index)"), "x") }
        return mount
    }

    @Test(arguments: [true, false])
    func whatStaysIsSeenOnce(_ touched: Bool) throws {
        let mount =
            touched
            ? try Self.mixed() : try MountedSandbox((0..<900).map { .file(ByteString("d/low\($0)"), "x") })
        let staying = Set(
            try mount.list("d").filter { $0.bytes.last == UInt8(ascii: "5") }.map(\.description))
        let directory = try SmallReads(mount.path("d"))
        var seen: [String] = []
        var step = 0
        while case let entries = try directory.next(), !entries.isEmpty {
            seen += entries.map(\.name)
            step += 1
            try mount.write(ByteString("d/new\(step)"), "x")
            // Names ahead and behind go away.
            for index in [step, 290 - step] where index % 10 != 5 && index > 0 {
                try? mount.remove(ByteString("d/low\(index)"))
                try? mount.remove(ByteString("d/up\(index)"))
            }
        }
        for name in staying { #expect(seen.count { $0 == name } == 1, "\(name)") }
        #expect(Set(seen).count == seen.count)
        directory.seek(0)
        var again: [String] = []
        while case let entries = try directory.next(), !entries.isEmpty { again += entries.map(\.name) }
        #expect(again.contains("new1") && again.contains("new\(step)"))
        #expect(!again.contains("low1"))
        #expect(Set(again) == Set(try mount.list("d").map(\.description) + [".", ".."]))
    }

    @Test func positionsKeepTheirMeaning() throws {
        let mount = try Self.mixed()
        let directory = try SmallReads(mount.path("d"))
        var places: [(Int, String)] = []
        var place = 0
        while case let entries = try directory.next(), !entries.isEmpty {
            for entry in entries {
                places.append((place, entry.name))
                place = entry.next
            }
        }
        #expect(places.count == 602)
        for index in 0..<100 {
            try mount.remove(ByteString("d/low\(index)"))
            try mount.write(ByteString("d/more\(index)"), "x")
        }
        for (place, name) in places.reversed() where name.hasPrefix("up") {
            directory.seek(place)
            #expect(try directory.next().first?.name == name)
        }
    }

    @Test func removingTenThousandInSmallReads() throws {
        let mount = try MountedSandbox((0..<5_000).map { .file(ByteString("d/low\($0)"), "") })
        for index in 0..<5_000 { try mount.write(ByteString("d/up\(index)"), "") }
        let directory = try SmallReads(mount.path("d"))
        while case let entries = try directory.next(), !entries.isEmpty {
            for entry in entries where entry.name != "." && entry.name != ".." {
                try mount.remove(ByteString("d/" + entry.name))
            }
        }
        try mount.removeDirectory("d")
        #expect(!mount.exists("d"))
    }

    @Test func inodesAndTypesAreThoseOfStat() throws {
        let mount = try MountedSandbox([
            .file("d/file", "x"), .file("d/sub/x", "x"), .symlink("d/link", "x"), .file("d/copied", "x"),
            .hardLink("d/hard", "d/copied"), .file("d/merged/x", "x"),
        ])
        func check(_ path: ByteString) throws {
            let directory = try mount.open(path, O_RDONLY | O_DIRECTORY)
            for entry in try directory.entries() {
                let status = try directory.status(of: entry.name)
                #expect(entry.inode == status.inode, "\(entry.name)")
                #expect(entry.type == status.type, "\(entry.name)")
                if status.type == .directory {
                    #expect(
                        try Self.parentInode(mount.path(path).appending(entry.name))
                            == directory.status().inode)
                }
            }
        }
        try check("d")
        try mount.append("d/copied", "+")
        try mount.makeDirectory("d/born")
        try mount.root().makeSymlink("d/born/link", target: "x")
        try mount.root().makeNode("d/fifo", mode: FileType.fifo.rawValue | 0o600, device: .zero)
        try mount.write("d/merged/y", "y")
        try mount.rename("d/sub", to: "d/born/sub")
        try mount.rename("d/born/sub", to: "d/sub2")
        for _ in 0..<2 {
            for path: ByteString in ["", "d", "d/born", "d/merged", "d/sub2"] { try check(path) }
            try mount.remount()
        }
    }

    /// The inode number that a listing of `path` gives for `..`.
    private static func parentInode(_ path: ByteString) throws -> UInt64? {
        try SmallReads(path).next().first { $0.name == ".." }?.inode
    }
}

/// A directory read in the smallest pieces, with the positions that the kernel gives.
private struct SmallReads: ~Copyable {
    struct Entry {
        var name: String
        var inode: UInt64
        /// The position behind it.
        var next: Int
    }

    private let file: Descriptor

    init(_ path: ByteString) throws { file = try Descriptor.open(path, O_RDONLY | O_DIRECTORY) }

    func seek(_ place: Int) { lseek(file.rawValue, place, SEEK_SET) }

    /// The next few entries; none at the end.
    func next() throws -> [Entry] {
        var buffer = [UInt8](repeating: 0, count: 160)
        let length = unsafe clinux_getdents64(file.rawValue, &buffer, buffer.count)
        if length < 0 { throw Errno(rawValue: errno) }
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            (0..<count).reduce(0) { $0 | UInt64(buffer[offset + $1]) << UInt64(8 * $1) }
        }
        var entries: [Entry] = []
        var start = 0
        while start < length {
            let size = Int(number(start + 16, 2))
            let name = buffer[(start + 19)..<(start + size)].prefix { $0 != 0 }
            entries.append(
                Entry(
                    name: String(decoding: name, as: UTF8.self), inode: number(start, 8),
                    next: Int(number(start + 8, 8))))
            start += size
        }
        return entries
    }
}
