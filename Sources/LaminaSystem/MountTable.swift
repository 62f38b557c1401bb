// What is mounted in this process's namespace, and taking mounts away.

import CLinux
import Glibc
import LaminaCore

/// One line of `/proc/self/mountinfo` (`proc(5)`).
public struct MountEntry: Sendable, Hashable {
    public var mountpoint: ByteString
    public var filesystem: ByteString
    public var source: ByteString
}

/// The table of mounts.
public enum MountTable {
    /// All mounts, oldest first. O(mounts).
    public static func entries() throws(Errno) -> [MountEntry] {
        let file = try Descriptor.open("/proc/self/mountinfo", O_RDONLY)
        var text: [UInt8] = []
        while text.count < 64 << 20 {
            // Files of /proc are read to their end by position, in pieces.
            let piece = try file.readBytes(at: Int64(text.count), count: 65_536)
            if piece.isEmpty { break }
            text += piece
        }
        return text.split(separator: UInt8(ascii: "\n")).compactMap { parse($0) }
    }

    /// Fields: id, parent, device, root, mountpoint, options, optional fields, "-", type, source.
    static func parse(_ line: ArraySlice<UInt8>) -> MountEntry? {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard let dash = fields.firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }),
            dash > 5, dash + 2 < fields.count
        else { return nil }
        return MountEntry(
            mountpoint: unescape(fields[4]), filesystem: unescape(fields[dash + 1]),
            source: unescape(fields[dash + 2]))
    }

    /// `\040` and the like stand for space, tab, newline and backslash.
    private static func unescape(_ field: ArraySlice<UInt8>) -> ByteString {
        var result: [UInt8] = []
        var index = field.startIndex
        while index < field.endIndex {
            let digits = field[index...].dropFirst().prefix(3)
            if field[index] == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                result.append(value)
                index += 4
            } else {
                result.append(field[index])
                index += 1
            }
        }
        return ByteString(result)
    }

    /// Takes the mount at `mountpoint` away; `EBUSY` while it is in use, unless `lazy`, when
    /// it leaves the tree now and ends with its last user. Never follows a symlink.
    public static func unmount(_ mountpoint: ByteString, lazy: Bool) throws(Errno) {
        let noFollow: Int32 = 8  // UMOUNT_NOFOLLOW of <sys/mount.h>
        let detach: Int32 = 2  // MNT_DETACH
        // SAFETY: the path is NUL-terminated and alive during the call.
        try unsafe mountpoint.withCString { (path) throws(Errno) in
            _ = try checked { unsafe clinux_umount2(path, noFollow | (lazy ? detach : 0)) }
        }
    }
}
