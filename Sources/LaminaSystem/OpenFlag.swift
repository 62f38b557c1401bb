// Flags of open(2) and its relatives that Glibc's Swift module does not import.

import CLinux

/// Bits for `Descriptor.open` beyond those of Glibc.
public enum OpenFlag {
    /// A handle of the place in the tree, without access to its bytes.
    public static let path = Int32(CLINUX_O_PATH)
    /// A file without a name; with `O_EXCL` it never gets one.
    public static let temporary = Int32(CLINUX_O_TMPFILE)
    public static let direct = Int32(CLINUX_O_DIRECT)
    public static let noAccessTime = Int32(CLINUX_O_NOATIME)
}

/// Bits for `Descriptor.open(…resolve:)`, as `openat2(2)` documents them.
public enum Resolve {
    public static let noMountCrossing = UInt64(CLINUX_RESOLVE_NO_XDEV)
    public static let noMagicLinks = UInt64(CLINUX_RESOLVE_NO_MAGICLINKS)
    public static let noSymlinks = UInt64(CLINUX_RESOLVE_NO_SYMLINKS)
    public static let beneath = UInt64(CLINUX_RESOLVE_BENEATH)
    public static let inRoot = UInt64(CLINUX_RESOLVE_IN_ROOT)
}

/// Bits for `Descriptor.rename`, as `renameat2(2)` documents them.
public enum RenameFlag {
    public static let noReplace = UInt32(CLINUX_RENAME_NOREPLACE)
    public static let exchange = UInt32(CLINUX_RENAME_EXCHANGE)
    public static let whiteout = UInt32(CLINUX_RENAME_WHITEOUT)
}

/// Values for `whence` of `lseek(2)` beyond those of Glibc.
public enum SeekFlag {
    public static let data = Int32(CLINUX_SEEK_DATA)
    public static let hole = Int32(CLINUX_SEEK_HOLE)
}
