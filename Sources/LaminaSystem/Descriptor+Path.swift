// Changing a file through an O_PATH descriptor, so that no name is resolved twice.
// Calls take the descriptor itself where the kernel lets them (`AT_EMPTY_PATH`). Others go through
// /proc/self/fd/N, whose magic link leads to exactly that file, to a symlink itself too.

import CLinux
import Glibc
import LaminaCore

extension Descriptor {
    /// Opens the file behind this `O_PATH` descriptor for real.
    public borrowing func reopen(_ flags: Int32) throws(Errno) -> Descriptor {
        try Descriptor.open(processPath, flags)
    }

    /// `chmod(2)` of the file behind this descriptor.
    public borrowing func setPathPermissions(_ permissions: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        let raw = rawValue
        do throws(Errno) {
            // SAFETY: the literal lives as long as the program.
            try checked { unsafe clinux_fchmodat2(raw, "", permissions, Int32(CLINUX_AT_EMPTY_PATH)) }
        } catch Errno.noFunction {
            // Before Linux 6.6.
            try unsafe withProcessPath { (path) throws(Errno) in
                _ = try checked { unsafe Glibc.chmod(path, permissions) }
            }
        }
    }

    /// `chown(2)` of the file behind this descriptor; `UInt32.max` leaves one as it is.
    public borrowing func setPathOwner(uid: UInt32, gid: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        let raw = rawValue
        // SAFETY: the literal lives as long as the program.
        try checked { unsafe fchownat(raw, "", uid, gid, Int32(CLINUX_AT_EMPTY_PATH)) }
    }

    /// `utimensat(2)` of the file behind this descriptor.
    public borrowing func setPathTimes(atime: TimeChange, mtime: TimeChange) throws(Errno) {
        try FaultInjection.check(.create)
        let raw = rawValue
        let times: InlineArray<2, timespec> = [atime.timespec, mtime.timespec]
        // SAFETY: the two times are alive during the call; the literal lives as long as the program.
        try unsafe times.span.withUnsafeBufferPointer { (times) throws(Errno) in
            _ = try checked { unsafe utimensat(raw, "", times.baseAddress, Int32(CLINUX_AT_EMPTY_PATH)) }
        }
    }

    /// `truncate(2)` of the file behind this descriptor.
    public borrowing func setPathSize(_ size: Int64) throws(Errno) {
        try FaultInjection.check(.write)
        try unsafe withProcessPath { (path) throws(Errno) in
            _ = try checked { unsafe Glibc.truncate(path, Int(size)) }
        }
    }

    /// Calls `body` with `processPath`, without an allocation.
    @unsafe
    borrowing func withProcessPath<Value>(
        _ body: (UnsafePointer<CChar>) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        var path = InlineArray<32, CChar>(repeating: 0)
        let raw = rawValue
        var space = path.mutableSpan
        // SAFETY: the room is as large as the call takes it to be, and alive as long as `body` runs.
        return try unsafe space.withUnsafeMutableBufferPointer { (bytes) throws(Errno) in
            guard let base = bytes.baseAddress else { throw .ioError }
            unsafe clinux_process_path(raw, base)
            return try unsafe body(base)
        }
    }
}
