// Calls that change a directory's entries, relative to an owned directory descriptor.

import CLinux
import Glibc
import LaminaCore

extension Descriptor {
    /// Makes a directory.
    public borrowing func makeDirectory(_ name: ByteString, permissions: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        let directory = rawValue
        try unsafe withPath(name) { unsafe mkdirat(directory, $0, permissions) }
    }

    /// Makes a node of any type but directory and symlink; `mode` holds type and permissions.
    public borrowing func makeNode(_ name: ByteString, mode: UInt32, device: DeviceNumber) throws(Errno) {
        try FaultInjection.check(.create)
        let directory = rawValue
        let number = dev_t(clinux_makedev(device.major, device.minor))
        try unsafe withPath(name) { unsafe mknodat(directory, $0, mode, number) }
    }

    /// Makes a symlink `name` that holds `target`.
    public borrowing func makeSymlink(_ name: ByteString, target: ByteString) throws(Errno) {
        try FaultInjection.check(.create)
        let directory = rawValue
        // SAFETY: both strings are NUL-terminated and alive during the call.
        try unsafe target.withCString { (text) throws(Errno) in
            _ = try unsafe withPath(name) { unsafe symlinkat(text, directory, $0) }
        }
    }

    /// Makes `newName` in `newDirectory` one more name of `name` here; links are not followed.
    public borrowing func link(
        _ name: ByteString, to newDirectory: borrowing Descriptor, _ newName: ByteString
    ) throws(Errno) {
        try FaultInjection.check(.link)
        let from = rawValue
        let to = newDirectory.rawValue
        // SAFETY: both strings are NUL-terminated and alive during the call.
        try unsafe name.withCString { (old) throws(Errno) in
            _ = try unsafe withPath(newName) { unsafe linkat(from, old, to, $0, 0) }
        }
    }

    /// Gives this open file, an `O_TMPFILE` one for example, the name `newName`.
    public borrowing func linkOpenFile(
        to newDirectory: borrowing Descriptor, _ newName: ByteString
    ) throws(Errno) {
        try FaultInjection.check(.link)
        let to = newDirectory.rawValue
        let path = processPath
        // SAFETY: both strings are NUL-terminated and alive during the call.
        try unsafe path.withCString { (old) throws(Errno) in
            _ = try unsafe withPath(newName) { unsafe linkat(AT_FDCWD, old, to, $0, AT_SYMLINK_FOLLOW) }
        }
    }

    /// Removes a name of a file.
    public borrowing func removeFile(_ name: ByteString) throws(Errno) {
        try FaultInjection.check(.remove)
        let directory = rawValue
        try unsafe withPath(name) { unsafe unlinkat(directory, $0, 0) }
    }

    /// Removes an empty directory.
    public borrowing func removeDirectory(_ name: ByteString) throws(Errno) {
        try FaultInjection.check(.remove)
        let directory = rawValue
        try unsafe withPath(name) { unsafe unlinkat(directory, $0, AT_REMOVEDIR) }
    }

    /// Renames; `flags` are `RENAME_*` of `renameat2(2)`.
    public borrowing func rename(
        _ name: ByteString, to newDirectory: borrowing Descriptor, _ newName: ByteString, flags: UInt32 = 0
    ) throws(Errno) {
        try FaultInjection.check(.rename)
        let from = rawValue
        let to = newDirectory.rawValue
        // SAFETY: both strings are NUL-terminated and alive during the call.
        try unsafe name.withCString { (old) throws(Errno) in
            _ = try unsafe withPath(newName) { unsafe clinux_renameat2(from, old, to, $0, flags) }
        }
    }

    /// The target of the symlink `name`; of this descriptor itself when `name` is empty.
    public borrowing func readLink(_ name: ByteString) throws(Errno) -> ByteString {
        let directory = rawValue
        var buffer = [CChar](repeating: 0, count: Limits.pathLength + 1)
        // SAFETY: the kernel writes at most `count` bytes into the local buffer.
        let length = try unsafe name.withCString { (pointer) throws(Errno) in
            try checked { unsafe readlinkat(directory, pointer, &buffer, buffer.count) }
        }
        return ByteString(buffer[..<length].lazy.map { UInt8(bitPattern: $0) })
    }

    /// Sets permissions of `name`; a symlink is refused by the kernel.
    public borrowing func setPermissions(of name: ByteString, _ permissions: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        let directory = rawValue
        try unsafe withPath(name) { unsafe fchmodat(directory, $0, permissions, 0) }
    }

    /// Sets owner and group of `name` itself; `UInt32.max` leaves one as it is.
    public borrowing func setOwner(of name: ByteString, uid: UInt32, gid: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        let directory = rawValue
        try unsafe withPath(name) { unsafe fchownat(directory, $0, uid, gid, AT_SYMLINK_NOFOLLOW) }
    }

    /// Sets times of `name` itself; nil leaves one as it is.
    public borrowing func setTimes(
        of name: ByteString, atime: TimeChange, mtime: TimeChange
    ) throws(Errno) {
        try FaultInjection.check(.create)
        let directory = rawValue
        let times = [atime.timespec, mtime.timespec]
        // SAFETY: the array of two is alive during the call.
        try unsafe withPath(name) { unsafe utimensat(directory, $0, times, AT_SYMLINK_NOFOLLOW) }
    }

    /// Makes the entries of this directory durable.
    public borrowing func syncDirectory() throws(Errno) {
        try sync()
    }

    @discardableResult
    private borrowing func withPath(
        _ name: ByteString, _ call: (UnsafePointer<CChar>) -> Int32
    ) throws(Errno) -> Int32 {
        // SAFETY: the name is NUL-terminated and alive during the call.
        try unsafe name.withCString { (pointer) throws(Errno) in
            try checked { unsafe call(pointer) }
        }
    }
}

/// What a call does to one of a file's times.
public enum TimeChange: Sendable, Hashable {
    case keep
    case now
    case set(Timestamp)

    var timespec: Glibc.timespec {
        switch self {
        case .keep: Glibc.timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)  // UTIME_OMIT
        case .now: Glibc.timespec(tv_sec: 0, tv_nsec: (1 << 30) - 1)  // UTIME_NOW
        case .set(let time): time.timespec
        }
    }
}
