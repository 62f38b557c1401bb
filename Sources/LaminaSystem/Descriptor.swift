// Descriptor owns one open file descriptor and closes it exactly once.

import CLinux
import Glibc
import LaminaCore

/// An open file descriptor, closed when its owner lets go of it.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for calls that this module does not wrap. It stays owned here.
    public let rawValue: Int32

    /// Takes over `rawValue`, which the caller must not close.
    public init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        // The error of a close of data that matters was seen by fsync before.
        _ = Glibc.close(rawValue)
    }

    /// Gives the number away: the caller closes it.
    public consuming func release() -> Int32 {
        let value = rawValue
        discard self
        return value
    }

    /// Closes and reports the error. The descriptor is gone in either case.
    public consuming func close() throws(Errno) {
        if Glibc.close(release()) != 0 { throw lastError() }
    }

    /// A second descriptor of the same open file, numbered `lowest` or higher
    /// (`F_DUPFD_CLOEXEC`).
    public borrowing func duplicate(from lowest: Int32 = 0) throws(Errno) -> Descriptor {
        let raw = rawValue
        return Descriptor(owning: try checked { clinux_fcntl(raw, F_DUPFD_CLOEXEC, Int(lowest)) })
    }

    /// A second descriptor of the same open file.
    public borrowing func duplicate() throws(Errno) -> Descriptor {
        let raw = rawValue
        return Descriptor(owning: try checked { clinux_fcntl(raw, F_DUPFD_CLOEXEC, 0) })
    }

    /// A descriptor of its own of what `rawValue` is, a standard stream for example.
    public static func duplicate(of rawValue: Int32) throws(Errno) -> Descriptor {
        Descriptor(owning: try checked { clinux_fcntl(rawValue, F_DUPFD_CLOEXEC, 3) })
    }

    /// Opens `path`, relative to the working directory. `O_CLOEXEC` is always set.
    public static func open(
        _ path: ByteString, _ flags: Int32, permissions: UInt32 = 0
    ) throws(Errno) -> Descriptor {
        try open(at: AT_FDCWD, path, flags, permissions: permissions)
    }

    /// Opens `name` below this directory. `O_CLOEXEC` is always set.
    public borrowing func open(
        _ name: ByteString, _ flags: Int32, permissions: UInt32 = 0
    ) throws(Errno) -> Descriptor {
        try Descriptor.open(at: rawValue, name, flags, permissions: permissions)
    }

    private static func open(
        at directory: Int32, _ name: ByteString, _ flags: Int32, permissions: UInt32
    ) throws(Errno) -> Descriptor {
        if flags & O_CREAT != 0 { try FaultInjection.check(.create) }
        // SAFETY: the name is NUL-terminated and alive during the call.
        let raw = try unsafe name.withCString { (pointer) throws(Errno) in
            try checked { unsafe clinux_openat(directory, pointer, flags | O_CLOEXEC, permissions) }
        }
        return Descriptor(owning: raw)
    }

    /// A `..` can lose against renames and mounts of others so often, and no more.
    private static var mostRaces: Int { 10_000 }

    /// Opens `name` below this directory under the rules of `openat2(2)`; `resolve` are
    /// `CLINUX_RESOLVE_*` bits.
    ///
    /// The kernel answers `EAGAIN` when somebody renamed or mounted anything on the machine while it went through a
    /// `..` of the path. It is asked again then.
    public borrowing func open(
        _ name: ByteString, _ flags: Int32, permissions: UInt32 = 0, resolve: UInt64
    ) throws(Errno) -> Descriptor {
        if flags & O_CREAT != 0 { try FaultInjection.check(.create) }
        let directory = rawValue
        // SAFETY: the name is NUL-terminated and alive during the call.
        let raw = try unsafe name.withCString { (pointer) throws(Errno) in
            for _ in 0..<Self.mostRaces {
                let file = unsafe clinux_openat2(
                    directory, pointer, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), UInt64(permissions),
                    resolve)
                if file >= 0 { return file }
                let error = Errno(rawValue: errno)
                guard error == .resourceTemporarilyUnavailable || error == .interrupted else { throw error }
            }
            throw .resourceTemporarilyUnavailable
        }
        return Descriptor(owning: raw)
    }

    /// An `O_PATH` descriptor of `name` itself, never of what a symlink leads to.
    public borrowing func openPath(_ name: ByteString) throws(Errno) -> Descriptor {
        try open(name, OpenFlag.path | O_NOFOLLOW)
    }

    /// A directory below this one; a symlink is refused with `ENOTDIR`.
    public borrowing func openDirectory(_ name: ByteString) throws(Errno) -> Descriptor {
        try open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// `/proc/self/fd/N`, which calls without an `AT_EMPTY_PATH` form take for this file.
    public var processPath: ByteString {
        ByteString("/proc/self/fd/\(rawValue)")
    }

    /// Takes an advisory lock (`flock(2)`), waiting for it unless `wait` is false, when
    /// `EWOULDBLOCK` says that another holds it.
    public borrowing func lock(exclusive: Bool, wait: Bool = true) throws(Errno) {
        let raw = rawValue
        let operation = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB)
        try checked { flock(raw, operation) }
    }

    /// Lets go of the advisory lock.
    public borrowing func unlock() throws(Errno) {
        let raw = rawValue
        try checked { flock(raw, LOCK_UN) }
    }

    /// How an open file is locked: for writing, for reading, not.
    public enum OpenFileLock: Sendable { case alone, shared, free }

    /// Locks the open file (`fcntl(2)`, "Open file description locks"), turning the lock that it has into another
    /// in one step, which `flock(2)` does not. Never waits; `EWOULDBLOCK` says that others are in the way.
    public borrowing func lockOpenFile(_ kind: OpenFileLock) throws(Errno) {
        let raw = rawValue
        var lock = Glibc.flock()
        lock.l_type =
            switch kind {
            case .alone: Int16(F_WRLCK)
            case .shared: Int16(F_RDLCK)
            case .free: Int16(F_UNLCK)
            }
        lock.l_whence = Int16(SEEK_SET)
        // SAFETY: the kernel reads the local. F_OFD_SETLK.
        try checked { unsafe fcntl(raw, 37, &lock) }
    }
}
