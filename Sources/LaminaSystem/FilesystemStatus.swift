// What statvfs(3) says of a filesystem, as a plain value.

import Glibc
import LaminaCore

/// The fields of `struct statvfs` that a mount reports.
public struct FilesystemStatus: Sendable, Hashable {
    /// Bytes; `blocks`, `freeBlocks` and `availableBlocks` count units of `fragmentSize`.
    public var blockSize: UInt64 = 0
    public var fragmentSize: UInt64 = 0
    public var blocks: UInt64 = 0
    public var freeBlocks: UInt64 = 0
    public var availableBlocks: UInt64 = 0
    public var files: UInt64 = 0
    public var freeFiles: UInt64 = 0

    public init() {}
}

extension Descriptor {
    /// The filesystem that this file is on.
    public borrowing func filesystemStatus() throws(Errno) -> FilesystemStatus {
        var result = statvfs()
        let raw = rawValue
        // SAFETY: the kernel fills the local.
        try checked { unsafe fstatvfs(raw, &result) }
        var status = FilesystemStatus()
        status.blockSize = UInt64(result.f_bsize)
        status.fragmentSize = UInt64(result.f_frsize)
        status.blocks = UInt64(result.f_blocks)
        status.freeBlocks = UInt64(result.f_bfree)
        status.availableBlocks = UInt64(result.f_bavail)
        status.files = UInt64(result.f_files)
        status.freeFiles = UInt64(result.f_ffree)
        return status
    }
}
