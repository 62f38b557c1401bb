// What a descriptor says of mounts, and the kernel's own ways past a FUSE server.

import CLinux
import Glibc
import LaminaCore

extension Descriptor {
    /// A private mount of the directory `name` below this one, in no mount namespace: whatever is
    /// opened below it can be read and not written, by anybody. Ends with its last open file.
    /// - Throws: `EPERM` without `CAP_SYS_ADMIN`; `ENOSYS` before Linux 5.12.
    public borrowing func readOnlyMount(of name: ByteString) throws(Errno) -> Descriptor {
        let directory = rawValue
        // SAFETY: the name is NUL-terminated and alive during the call.
        let raw = try unsafe name.withCString { (pointer) throws(Errno) in
            try checked { unsafe clinux_read_only_tree(directory, pointer) }
        }
        return Descriptor(owning: raw)
    }

    /// A private mount of what this descriptor is, in no mount namespace and without the mounts that lie
    /// beneath it. Ends with its last open file.
    /// - Parameter readOnly: whether the kernel refuses all writing in it.
    /// - Throws: `EPERM` without `CAP_SYS_ADMIN`; `ENOSYS` before Linux 5.12.
    public borrowing func detachedMount(readOnly: Bool) throws(Errno) -> Descriptor {
        let raw = rawValue
        return Descriptor(owning: try checked { clinux_detached_tree(raw, readOnly ? 1 : 0) })
    }

    /// The root of a new tmpfs that is mounted nowhere and ends with its last open file.
    /// - Parameters:
    ///   - size: as `tmpfs(5)` takes it: bytes, or a percentage of the memory.
    ///   - permissions: of its root.
    /// - Throws: `EPERM` without `CAP_SYS_ADMIN`; `ENOSYS` before Linux 5.2.
    public static func memoryTree(size: ByteString, permissions: UInt32) throws(Errno) -> Descriptor {
        let mode = ByteString("0" + String(permissions & 0o7777, radix: 8))
        // SAFETY: both strings are NUL-terminated and alive during the call.
        let raw = try unsafe size.withCString { (size) throws(Errno) in
            try unsafe mode.withCString { (mode) throws(Errno) in
                try checked { unsafe clinux_memory_tree(size, mode) }
            }
        }
        return Descriptor(owning: raw)
    }

    /// `f_type` of `statfs(2)`.
    public borrowing func filesystemType() throws(Errno) -> UInt64 {
        var type: UInt64 = 0
        let raw = rawValue
        // SAFETY: the kernel fills the local.
        try checked { unsafe clinux_filesystem_type(raw, &type) }
        return type
    }
}

/// Files that the kernel reads and writes in place of a FUSE server (`FUSE_DEV_IOC_BACKING_OPEN`,
/// Linux 6.9). A number belongs to the connection, whichever of its descriptors made it.
public enum FuseBacking {
    /// - Returns: a number above 0.
    /// - Throws: `EPERM` without `CAP_SYS_ADMIN` or when the session did not ask for it; `ELOOP` when
    ///   too many filesystems stand on each other.
    public static func open(_ file: borrowing Descriptor, on device: Int32) throws(Errno) -> Int32 {
        let raw = file.rawValue
        let number = try checked { clinux_fuse_backing_open(device, raw) }
        guard number > 0 else { throw .invalidArgument }
        return number
    }

    public static func close(_ number: Int32, on device: Int32) {
        _ = clinux_fuse_backing_close(device, number)
    }
}
