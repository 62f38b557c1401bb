// What a tree says of its nodes: plain values that outlive every borrow of the tree.

import LaminaCore

/// A device slot of an index: the layer whose `stream` holds small files' bytes.
public struct TreeDevice: Hashable, Sendable {
    public var diffID: Digest
    /// The size of the layer's `stream` in units of 512 bytes, rounded up.
    public var blocks: UInt32

    public init(diffID: Digest, blocks: UInt32) {
        self.diffID = diffID
        self.blocks = blocks
    }

    /// A slot for a `stream` of `streamSize` bytes; nil when it is 2 TiB or more.
    public init?(diffID: Digest, streamSize: UInt64) {
        guard let size = streamSize.roundedUp(to: UInt64(Erofs.blockSize)),
            let blocks = UInt32(exactly: size / UInt64(Erofs.blockSize)), blocks < Erofs.nullAddress
        else { return nil }
        self.init(diffID: diffID, blocks: blocks)
    }
}

/// The attributes of a node, decoded from its inode.
public struct TreeNode: Hashable, Sendable {
    public var nid: UInt64
    public var type: FileType
    /// Type and permissions, as `st_mode`.
    public var mode: UInt32
    /// The number of names; of a directory 2 plus its subdirectories.
    public var linkCount: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// Bytes: of a symlink its target's, of a directory its entries'.
    public var size: UInt64
    public var mtime: Timestamp
    /// The directory of the node's first name, from which copy-up finds its path; the
    /// root's is itself.
    public var parent: UInt64
    /// The device that a device node names; 0:0 for other types.
    public var device: DeviceNumber
    /// Whether there is any xattr, also one that containers do not see.
    public var hasExtendedAttributes: Bool

    /// Whether this hides the name in lower layers. Only in a layer's index; a merged
    /// tree has none.
    public var isWhiteout: Bool { type == .characterDevice && device == .zero }
}

/// Where a regular file's bytes are.
public enum TreeContent: Hashable, Sendable {
    /// No byte.
    case empty
    /// `length` bytes at byte `offset` of the `stream` of `Tree.devices[device]`.
    case stream(device: Int, offset: UInt64, length: UInt64)
    /// All `length` bytes of the object of this name.
    case object(Digest, length: UInt64)
}
