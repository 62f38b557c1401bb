// What a tree says of a node, in the kernel's own terms. Plain values, no I/O.

/// The type of a node: the high bits of `st_mode` (`inode(7)`).
public enum FileType: UInt32, Sendable, Hashable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symlink = 0o120000
    case socket = 0o140000

    /// The bits of a mode that hold the type.
    public static let mask: UInt32 = 0o170000

    /// The type in `mode`; nil for bits that name none.
    public init?(mode: UInt32) {
        self.init(rawValue: mode & FileType.mask)
    }
}

/// A point in time: seconds since the epoch and nanoseconds below 10⁹.
public struct Timestamp: Hashable, Sendable, Comparable {
    public var seconds: Int64
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

/// A device number, as `mknod(2)` takes it.
public struct DeviceNumber: Hashable, Sendable {
    public var major: UInt32
    public var minor: UInt32

    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// 0:0, which marks a whiteout (kernel `Documentation/filesystems/overlayfs.rst`).
    public static let zero = DeviceNumber(major: 0, minor: 0)
}

/// Owner, permissions and times of a node in a layer.
public struct FileAttributes: Hashable, Sendable {
    public var type: FileType
    /// The low twelve bits of `st_mode`.
    public var permissions: UInt32
    public var uid: UInt32
    public var gid: UInt32
    public var mtime: Timestamp
    /// The device that a character or block device node names; 0:0 for other types.
    public var device: DeviceNumber

    public init(
        type: FileType, permissions: UInt32, uid: UInt32 = 0, gid: UInt32 = 0,
        mtime: Timestamp = Timestamp(seconds: 0), device: DeviceNumber = .zero
    ) {
        self.type = type
        self.permissions = permissions & 0o7777
        self.uid = uid
        self.gid = gid
        self.mtime = mtime
        self.device = device
    }

    /// Type and permissions as one `st_mode`.
    public var mode: UInt32 { type.rawValue | permissions }
}

/// An extended attribute: its full name (`user.x`) and its value.
public struct ExtendedAttribute: Hashable, Sendable {
    public var name: ByteString
    public var value: [UInt8]

    public init(name: ByteString, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}
