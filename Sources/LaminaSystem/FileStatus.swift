// What stat(2) says of a file, as a plain value.

import CLinux
import Glibc
import LaminaCore

/// The fields of `struct stat`.
public struct FileStatus: Sendable, Hashable {
    /// The device the file is on.
    public var device: UInt64 = 0
    public var inode: UInt64 = 0
    /// Type and permissions.
    public var mode: UInt32 = 0
    public var linkCount: UInt32 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// The device that a device node names.
    public var namedDevice: DeviceNumber = .zero
    /// Bytes.
    public var size: Int64 = 0
    /// Units of 512 bytes.
    public var blocks: Int64 = 0
    public var blockSize: UInt32 = 0
    public var atime = Timestamp(seconds: 0)
    public var mtime = Timestamp(seconds: 0)
    public var ctime = Timestamp(seconds: 0)
    /// Whether the file may change behind the back of who asked, so that this must not be remembered.
    public var isFleeting = false
    /// Whether others than who answers change the file and its name, so that both are remembered for a short
    /// time only.
    public var isShared = false
    /// Whether, of those, nobody does so now without our hearing of it, host programs aside.
    public var isClaimed = false

    public init() {}

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = UInt32(status.st_mode)
        linkCount = UInt32(truncatingIfNeeded: status.st_nlink)
        uid = status.st_uid
        gid = status.st_gid
        namedDevice = DeviceNumber(
            major: clinux_major(UInt64(status.st_rdev)), minor: clinux_minor(UInt64(status.st_rdev)))
        size = Int64(status.st_size)
        blocks = Int64(status.st_blocks)
        blockSize = UInt32(truncatingIfNeeded: status.st_blksize)
        atime = Timestamp(status.st_atim)
        mtime = Timestamp(status.st_mtim)
        ctime = Timestamp(status.st_ctim)
    }

    /// The type in `mode`; nil for a mode that no kernel makes.
    public var type: FileType? { FileType(mode: mode) }

    /// Whether this is a character device 0:0: a whiteout in an upper directory.
    public var isWhiteout: Bool { type == .characterDevice && namedDevice == .zero }
}

extension Timestamp {
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: time.tv_nsec))
    }

    var timespec: Glibc.timespec {
        Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(min(nanoseconds, 999_999_999)))
    }
}

extension Descriptor {
    /// The status of this open file.
    public borrowing func status() throws(Errno) -> FileStatus {
        var result = stat()
        let raw = rawValue
        // SAFETY: the kernel fills the local.
        try checked { unsafe fstat(raw, &result) }
        return FileStatus(result)
    }

    /// The status of `name` below this directory; of the link itself unless `follow`.
    public borrowing func status(of name: ByteString, follow: Bool = false) throws(Errno) -> FileStatus {
        try FileStatus.read(at: rawValue, name, follow: follow)
    }

    /// The birth time of this open file; `EOPNOTSUPP` where the filesystem keeps none.
    public borrowing func birthTime() throws(Errno) -> Timestamp {
        var seconds: Int64 = 0
        var nanoseconds: UInt32 = 0
        let raw = rawValue
        let empty: ByteString = ""
        // SAFETY: the path is NUL-terminated and both results are locals.
        try unsafe empty.withCString { (pointer) throws(Errno) in
            _ = try checked {
                unsafe clinux_statx_btime(raw, pointer, Int32(CLINUX_AT_EMPTY_PATH), &seconds, &nanoseconds)
            }
        }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}

extension FileStatus {
    /// The status of `path` relative to the working directory.
    public static func of(_ path: ByteString, follow: Bool = false) throws(Errno) -> FileStatus {
        try read(at: AT_FDCWD, path, follow: follow)
    }

    fileprivate static func read(
        at directory: Int32, _ name: ByteString, follow: Bool
    ) throws(Errno) -> FileStatus {
        var result = stat()
        // SAFETY: the name is NUL-terminated; the kernel fills the local.
        try unsafe name.withCString { (pointer) throws(Errno) in
            _ = try checked {
                unsafe fstatat(directory, pointer, &result, follow ? 0 : AT_SYMLINK_NOFOLLOW)
            }
        }
        return FileStatus(result)
    }
}
