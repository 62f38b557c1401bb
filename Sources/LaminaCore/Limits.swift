// Bounds that hold everywhere. A number from outside is checked against one of these
// before it sizes a buffer, a loop or a name.

/// The documented limits of Lamina.
public enum Limits {
    /// Bytes of one file name (`NAME_MAX`).
    public static let nameLength = 255
    /// Bytes of a path in a layer (`PATH_MAX`, without its NUL).
    public static let pathLength = 4096
    /// Bytes of a symlink's target.
    public static let symlinkLength = 4095
    /// Bytes of an xattr's name with its namespace (`XATTR_NAME_MAX`).
    public static let extendedAttributeNameLength = 255
    /// Bytes of an xattr's value: what EROFS can hold; the kernel's own is one more.
    public static let extendedAttributeValueLength = 65_535
    /// Layers of one image: what one EROFS device table of ours may name.
    public static let layersPerImage = 512
    /// A payload of at least this many bytes becomes an object.
    public static let objectThreshold = 65_536
    /// Bytes of a manifest, config or index document.
    public static let documentSize = 8 << 20
    /// Entries of one layer, and names of its tree with the directories that they imply. A
    /// load keeps about 150 bytes of each in memory.
    public static let entriesPerLayer = 4_000_000
    /// Bytes of all link targets and xattrs of one layer, which a load keeps in memory.
    public static let metadataSize: UInt64 = 256 << 20
    /// Bytes of one file: 1024 chunks of 1 TiB, the largest that EROFS has.
    public static let fileSize: UInt64 = 1 << 50
    /// Bytes of all sparse files of one layer, with their holes: each is hashed as a whole.
    public static let sparseSize: UInt64 = 8 << 30
    /// Directories above an entry.
    public static let depth = 2_000
    /// Redirects of one sandbox.
    public static let redirectsPerSandbox = 1_000
    /// Redirects on the way to a place, one beneath another.
    public static let redirectDepth = 32
}
