// Changing a file through an O_PATH descriptor, so that no name is resolved twice.
// Each call goes through /proc/self/fd/N, whose magic link leads to exactly that file,
// to a symlink itself too.

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
        try unsafe withProcessPath { unsafe Glibc.chmod($0, permissions) }
    }

    /// `chown(2)` of the file behind this descriptor; `UInt32.max` leaves one as it is.
    public borrowing func setPathOwner(uid: UInt32, gid: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        try unsafe withProcessPath { unsafe Glibc.chown($0, uid, gid) }
    }

    /// `utimensat(2)` of the file behind this descriptor.
    public borrowing func setPathTimes(atime: TimeChange, mtime: TimeChange) throws(Errno) {
        try FaultInjection.check(.create)
        let times = [atime.timespec, mtime.timespec]
        try unsafe withProcessPath { unsafe utimensat(AT_FDCWD, $0, times, 0) }
    }

    /// `truncate(2)` of the file behind this descriptor.
    public borrowing func setPathSize(_ size: Int64) throws(Errno) {
        try FaultInjection.check(.write)
        try unsafe withProcessPath { unsafe Glibc.truncate($0, Int(size)) }
    }

    private borrowing func withProcessPath(_ call: (UnsafePointer<CChar>) -> Int32) throws(Errno) {
        let path = processPath
        // SAFETY: the path is NUL-terminated and alive during the call.
        try unsafe path.withCString { (pointer) throws(Errno) in
            _ = try checked { unsafe call(pointer) }
        }
    }
}
