// Tree owns one mapped index. It never believes a number in it: each is checked against
// the mapping where it is used, so that a damaged file gives an error and not a crash.

import LaminaCore
import LaminaSystem

/// A tree of nodes in a mapped index (docs/FORMAT.md): of one layer, or of a merged chain.
///
/// A node id is the EROFS nid: the inode is at `metadata + 32 * nid`. Lookups and decodes
/// read the mapping only; they take no lock and keep no state, so any number of threads
/// may use one tree.
public struct Tree: ~Copyable, Sendable {
    let file: MappedFile
    /// The byte that node id 0 would have; inodes are above it.
    let metadata: Int
    /// The greatest node id whose inode lies inside the file.
    let lastNid: UInt64
    /// The layers whose streams hold the files' bytes, lowest first.
    public let devices: [TreeDevice]
    /// The number of nodes, as the superblock counts them.
    public let nodeCount: UInt64

    /// The root's node id, in every index.
    public static let root: UInt64 = Erofs.rootNid

    /// Takes over `file` and checks superblock, device table and root. O(devices).
    ///
    /// - Throws: `IndexError.notAnIndex`, `.unsupportedVersion` or `.damaged`.
    public init(_ file: consuming MappedFile) throws(IndexError) {
        let superblock = try Superblock(file.bytes)
        let root = superblock.metadata + Erofs.slotSize
        guard try DirectoryExtent(file.bytes, inode: root, nid: Tree.root).count > 0 else {
            throw .damaged("the root is empty", at: Tree.root)
        }
        self.devices = superblock.devices
        self.nodeCount = superblock.nodeCount
        self.metadata = superblock.metadata
        // The superblock check left room for the root's inode behind `metadata`.
        self.lastNid = UInt64((file.count - superblock.metadata - Erofs.inodeSize) / Erofs.slotSize)
        self.file = file
    }

    /// One more than the greatest node id that the index can hold.
    public var nidLimit: UInt64 { lastNid + 1 }

    /// Bytes of the index.
    public var byteCount: Int { file.count }

    /// Takes a part of the index out of this process's memory until it is next read.
    public borrowing func letGo(of range: Range<Int>) {
        file.letGo(of: range)
    }
}

/// A tree with several owners: the layers of chains that are being merged.
public final class SharedTree: Sendable {
    public let tree: Tree

    public init(_ tree: consuming Tree) {
        self.tree = tree
    }
}

/// The checked contents of superblock and device table.
struct Superblock {
    var metadata: Int
    var nodeCount: UInt64
    var devices: [TreeDevice]

    init(_ bytes: RawSpan) throws(IndexError) {
        guard bytes.byteCount >= Erofs.superblockOffset + Erofs.blockSize else {
            throw .notAnIndex("the file is too short")
        }
        let block = try bytes.slice(Erofs.superblockOffset, Erofs.blockSize)
        try Self.checkIdentity(block)
        nodeCount = try block.load(SuperblockField.nodeCount, as: UInt64.self)
        let count = Int(try block.load(SuperblockField.extraDevices, as: UInt16.self))
        guard count <= Limits.layersPerImage else { throw .layerCount(count) }
        devices = try Self.readDevices(bytes, count: count)
        let address = try block.load(SuperblockField.metadataBlock, as: UInt32.self)
        // At most 2^41: no overflow in 64 bits.
        metadata = Int(address) * Erofs.blockSize
        let needed = metadata + Erofs.slotSize + Erofs.inodeSize
        guard metadata >= Erofs.deviceTableOffset, needed <= bytes.byteCount else {
            throw .damaged("the metadata area leaves the file", at: UInt64(address))
        }
    }

    private static func checkIdentity(_ block: RawSpan) throws(IndexError) {
        guard try block.load(SuperblockField.magic, as: UInt32.self) == Erofs.magic else {
            throw .notAnIndex("no EROFS superblock")
        }
        for (offset, byte) in Erofs.volumeName.enumerated()
        where block.byte(SuperblockField.volumeName + offset) != byte {
            throw .notAnIndex("an EROFS image that Lamina did not write")
        }
        let version = try block.load(SuperblockField.version, as: UInt32.self)
        guard version == Erofs.version else { throw .unsupportedVersion(version) }
        guard try block.load(SuperblockField.checksum, as: UInt32.self) == CRC32C.superblock(block) else {
            throw .damaged("superblock checksum", at: UInt64(Erofs.superblockOffset))
        }
        guard block.byte(SuperblockField.blockBits) == Erofs.blockBits,
            block.byte(SuperblockField.directoryBlockBits) == 0,
            try block.load(SuperblockField.rootNid, as: UInt16.self) == UInt16(Erofs.rootNid),
            try block.load(SuperblockField.incompatibleFeatures, as: UInt32.self)
                == Erofs.incompatibleFeatures,
            try block.load(SuperblockField.deviceTableSlot, as: UInt16.self) == Erofs.deviceTableSlot
        else { throw .damaged("superblock fields", at: UInt64(Erofs.superblockOffset)) }
    }

    private static func readDevices(_ bytes: RawSpan, count: Int) throws(IndexError) -> [TreeDevice] {
        var devices: [TreeDevice] = []
        devices.reserveCapacity(count)
        for index in 0..<count {
            let start = Erofs.deviceTableOffset + index * Erofs.deviceSlotSize
            let tag = try bytes.slice(start, Erofs.tagSize)
            guard let diffID = Digest(hexDigits: tag.elements) else {
                throw .damaged("a device tag is no digest", at: UInt64(start))
            }
            let blocks = try bytes.load(start + Erofs.tagSize, as: UInt32.self)
            devices.append(TreeDevice(diffID: diffID, blocks: blocks))
        }
        return devices
    }
}
