// Owner, permissions, times and extended attributes of an open file.

import CLinux
import Glibc
import LaminaCore

extension Descriptor {
    /// Sets the permissions of this file.
    public borrowing func setPermissions(_ permissions: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        let raw = rawValue
        try checked { fchmod(raw, permissions) }
    }

    /// Sets owner and group; `UInt32.max` leaves one as it is.
    public borrowing func setOwner(uid: UInt32, gid: UInt32) throws(Errno) {
        try FaultInjection.check(.create)
        let raw = rawValue
        try checked { fchown(raw, uid, gid) }
    }

    /// Sets times.
    public borrowing func setTimes(atime: TimeChange, mtime: TimeChange) throws(Errno) {
        try FaultInjection.check(.create)
        let raw = rawValue
        let times: InlineArray<2, timespec> = [atime.timespec, mtime.timespec]
        // SAFETY: the two times are alive during the call.
        try unsafe times.span.withUnsafeBufferPointer { (times) throws(Errno) in
            _ = try checked { unsafe futimens(raw, times.baseAddress) }
        }
    }

    /// The value of an xattr, at most 64 KiB; `ENODATA` when there is none. Works on
    /// `O_PATH` descriptors too.
    public borrowing func extendedAttribute(_ name: ByteString) throws(Errno) -> [UInt8] {
        try unsafe name.withCString { (attribute) throws(Errno) in
            try unsafe Self.collect { (buffer) throws(Errno) in
                // SAFETY: both strings are NUL-terminated; the kernel writes within the buffer.
                try unsafe onFile { number in
                    unsafe clinux_fgetxattr(number, attribute, buffer.baseAddress, buffer.count)
                } byPath: { path in
                    unsafe clinux_getxattr(path, attribute, buffer.baseAddress, buffer.count)
                }
            }
        }
    }

    /// Sets an xattr; `flags` are `XATTR_CREATE` and `XATTR_REPLACE`. Works on `O_PATH`
    /// descriptors too.
    public borrowing func setExtendedAttribute(
        _ name: ByteString, _ value: RawSpan, flags: Int32 = 0
    ) throws(Errno) {
        try FaultInjection.check(.create)
        // SAFETY: both strings are NUL-terminated; the kernel reads the value's bytes.
        try unsafe name.withCString { (attribute) throws(Errno) in
            _ = try unsafe value.withUnsafeBytes { (bytes) throws(Errno) in
                try unsafe onFile { number in
                    unsafe clinux_fsetxattr(number, attribute, bytes.baseAddress, bytes.count, flags)
                } byPath: { path in
                    unsafe clinux_setxattr(path, attribute, bytes.baseAddress, bytes.count, flags)
                }
            }
        }
    }

    /// Removes an xattr; `ENODATA` when there is none.
    public borrowing func removeExtendedAttribute(_ name: ByteString) throws(Errno) {
        try FaultInjection.check(.remove)
        // SAFETY: both strings are NUL-terminated and alive during the call.
        try unsafe name.withCString { (attribute) throws(Errno) in
            _ = try unsafe onFile { number in
                unsafe clinux_fremovexattr(number, attribute)
            } byPath: { path in
                unsafe clinux_removexattr(path, attribute)
            }
        }
    }

    /// Makes a call by number, which is half the work of one by path; by path where the kernel refuses the
    /// number of an `O_PATH` descriptor.
    @unsafe
    private borrowing func onFile<Value: SignedInteger>(
        byNumber: (Int32) -> Value, byPath: (UnsafePointer<CChar>) -> Value
    ) throws(Errno) -> Value {
        let raw = rawValue
        do throws(Errno) {
            return try checked { byNumber(raw) }
        } catch Errno.badFileDescriptor {
            return try unsafe withProcessPath { (path) throws(Errno) in try checked { unsafe byPath(path) } }
        }
    }

    /// The names of all xattrs.
    public borrowing func extendedAttributeNames() throws(Errno) -> [ByteString] {
        let list = try unsafe Self.collect { (buffer) throws(Errno) in
            // SAFETY: the path is NUL-terminated; the kernel writes within the buffer.
            try unsafe withProcessPath { (path) throws(Errno) in
                try checked { unsafe clinux_listxattr(path, buffer.baseAddress, buffer.count) }
            }
        }
        return list.split(separator: 0).map { ByteString($0) }
    }

    /// Asks with a small buffer first and with the kernel's limit, 64 KiB, when it is too small.
    private static func collect(
        _ call: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> [UInt8] {
        for size in [256, 65_536] {
            var buffer = [UInt8](repeating: 0, count: size)
            do throws(Errno) {
                var space = buffer.mutableSpan
                let length = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                    try unsafe call(bytes)
                }
                buffer.removeLast(size - min(length, size))
                return buffer
            } catch Errno.outOfRange where size < 65_536 {
                continue
            }
        }
        throw Errno(rawValue: E2BIG)
    }
}
