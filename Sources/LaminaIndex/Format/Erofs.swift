// Erofs owns the numbers of the on-disk format that Lamina's indexes use: a subset of
// EROFS that the kernel and fsck.erofs read. docs/FORMAT.md describes it byte by byte.

/// Constants of EROFS, as the kernel's `fs/erofs/erofs_fs.h` has them.
enum Erofs {
    /// Bytes of a block: payloads of a tar start at multiples of it.
    static let blockSize = 512
    static let blockBits: UInt8 = 9
    static let superblockOffset = 1024
    static let superblockSize = 128
    static let magic: UInt32 = 0xE0F5_E1E2
    /// `EROFS_FEATURE_COMPAT_MTIME`: inode times are modification times.
    static let compatibleFeatures: UInt32 = 0x2
    /// `EROFS_FEATURE_INCOMPAT_CHUNKED_FILE | …_DEVICE_TABLE`.
    static let incompatibleFeatures: UInt32 = 0x4 | 0x8
    /// The device table follows the superblock; the slot number is in units of its size.
    static let deviceSlotSize = 128
    static let deviceTableSlot: UInt16 = 9
    static let deviceTableOffset = superblockOffset + superblockSize
    /// Bytes of the hexadecimal digest in a device slot.
    static let tagSize = 64

    /// Bytes a node id counts in.
    static let slotSize = 32
    static let inodeSize = 64
    static let chunkIndexSize = 8
    static let direntSize = 12
    /// A chunk index with this address is a hole.
    static let nullAddress: UInt32 = 0xFFFF_FFFF
    /// `EROFS_CHUNK_FORMAT_INDEXES`: eight-byte indexes with a device number.
    static let chunkIndexesFlag: UInt16 = 0x20
    /// Bits of the chunk format that hold log2(chunk size) - 9.
    static let chunkBitsMask: UInt16 = 0x1F

    /// The volume name of every index; the version follows it in the same field.
    static let volumeName: [UInt8] = Array("lamina".utf8)
    static let version: UInt32 = 1

    /// The root's node id in every index; FUSE calls its root 1 too.
    static let rootNid: UInt64 = 1
}

/// How an inode's data is laid out (`i_format` bits 1 to 3).
enum DataLayout: UInt16 {
    /// Blocks from `raw_blkaddr`.
    case plain = 0
    /// Bytes directly behind inode and xattrs.
    case inline = 2
    /// Chunk indexes behind inode and xattrs.
    case chunked = 4

    /// `i_format` of an extended inode with this layout.
    var format: UInt16 { 1 | rawValue << 1 }

    /// The layout in `format`; nil unless it is an extended inode of a known layout.
    @inline(__always)
    init?(format: UInt16) {
        guard format & 1 == 1, format >> 4 == 0 else { return nil }
        self.init(rawValue: format >> 1)
    }
}

/// Byte offsets of superblock fields, from the superblock's start.
enum SuperblockField {
    static let magic = 0
    static let checksum = 4
    static let compatibleFeatures = 8
    static let blockBits = 12
    static let rootNid = 14
    static let nodeCount = 16
    static let blocks = 36
    static let metadataBlock = 40
    static let volumeName = 64
    static let version = 72
    static let incompatibleFeatures = 80
    static let extraDevices = 86
    static let deviceTableSlot = 88
    static let directoryBlockBits = 90
}

/// Byte offsets of extended inode fields, from the inode's start.
enum InodeField {
    static let format = 0
    static let attributeCount = 2
    static let mode = 4
    static let size = 8
    static let union = 16
    static let ino = 20
    static let uid = 24
    static let gid = 28
    static let mtime = 32
    static let mtimeNanoseconds = 40
    static let linkCount = 44
    /// Ours, in bytes that EROFS reserves: the directory of the node's first name.
    static let parent = 48
}
