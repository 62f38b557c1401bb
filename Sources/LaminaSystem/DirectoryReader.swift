// DirectoryReader owns the position in one open directory and hands out its entries.

import CLinux
import Glibc
import LaminaCore

/// One entry of a directory, as `getdents64(2)` gives it.
public struct DirectoryEntry: Sendable, Hashable {
    public var name: ByteString
    public var inode: UInt64
    /// The type, where the filesystem says it.
    public var type: FileType?
}

extension Descriptor {
    /// All entries of this directory but `.` and `..`, in the filesystem's order.
    /// O(entries) time and memory.
    public borrowing func entries() throws(Errno) -> [DirectoryEntry] {
        try seek(to: 0)
        var result: [DirectoryEntry] = []
        var buffer = [UInt8](repeating: 0, count: 32_768)
        let raw = rawValue
        while true {
            var space = buffer.mutableSpan
            // SAFETY: the kernel writes at most `count` bytes into the local buffer.
            let length = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                try checked { unsafe clinux_getdents64(raw, bytes.baseAddress, bytes.count) }
            }
            if length == 0 { return result }
            Self.parse(buffer.span.extracting(0..<length), into: &result)
        }
    }

    /// `struct linux_dirent64`: inode 8 bytes, offset 8, record length 2, type 1, name.
    private static func parse(_ records: Span<UInt8>, into result: inout [DirectoryEntry]) {
        var start = 0
        while start + 19 < records.count {
            let length = Int(records[start + 16]) | Int(records[start + 17]) << 8
            guard length >= 20, start + length <= records.count else { return }
            var inode: UInt64 = 0
            for index in 0..<8 { inode |= UInt64(records[start + index]) << UInt64(8 * index) }
            let name = ByteString(records.extracting((start + 19)..<(start + length)))
            if name != "." && name != ".." {
                let type = FileType(rawValue: UInt32(records[start + 18]) << 12)
                result.append(DirectoryEntry(name: name, inode: inode, type: type))
            }
            start += length
        }
    }

    /// Whether this directory has no entry but `.` and `..`.
    public borrowing func isEmptyDirectory() throws(Errno) -> Bool {
        try entries().isEmpty
    }

    /// Removes everything in this directory, at most `Limits.depth` levels deep; never
    /// leaves it through a symlink. Stops at a mount point with the kernel's `EBUSY`.
    public borrowing func removeContents(depth: Int = 0) throws(Errno) {
        guard depth < Limits.depth else { throw .tooManySymbolicLinkLevels }
        for entry in try entries() {
            if entry.type == .directory {
                try openDirectory(entry.name).removeContents(depth: depth + 1)
                try removeDirectory(entry.name)
            } else {
                try removeFile(entry.name)
            }
        }
    }

    /// Removes `name` and, if it is a directory, everything in it. Nothing there is no error.
    public borrowing func removeTree(_ name: ByteString) throws(Errno) {
        do throws(Errno) {
            let status = try status(of: name)
            guard status.type == .directory else { return try removeFile(name) }
            try openDirectory(name).removeContents()
            try removeDirectory(name)
        } catch Errno.noSuchFileOrDirectory {
            return
        }
    }

    /// Makes `name` and its missing parents, as `mkdir -p` does.
    public borrowing func makeDirectories(_ path: ByteString, permissions: UInt32 = 0o755) throws(Errno) {
        var prefix: ByteString = path.hasPrefix("/") ? "/" : ""
        for component in path.components {
            prefix = prefix.appending(component)
            do throws(Errno) {
                try makeDirectory(prefix, permissions: permissions)
            } catch Errno.fileExists {
                continue
            }
        }
    }

    /// The working directory, for paths given by users.
    public static func workingDirectory() throws(Errno) -> Descriptor {
        try open(".", OpenFlag.path | O_DIRECTORY)
    }
}
