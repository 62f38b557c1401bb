// Decoding inodes: the step from a node id to checked values.

import LaminaCore

/// The fields of an inode that lead to its data. The inode itself lies inside the file.
struct Inode {
    /// The byte where the inode starts.
    var start: Int
    var layout: DataLayout
    var type: FileType
    var mode: UInt32
    var size: UInt64
    /// `raw_blkaddr`, `rdev` or the chunk format, by layout and type.
    var union: UInt32
    /// Bytes of xattrs behind the inode.
    var attributeSize: Int

    /// The byte behind inode and xattrs.
    var bodyEnd: Int { start + Erofs.inodeSize + attributeSize }
}

extension Tree {
    /// The byte of the inode of `nid`, all of which lies inside the file.
    @inline(__always)
    borrowing func inodeStart(_ nid: UInt64) throws(IndexError) -> Int {
        guard nid >= Tree.root, nid <= lastNid else { throw .damaged("a node id leaves the file", at: nid) }
        return metadata &+ Int(truncatingIfNeeded: nid) &* Erofs.slotSize
    }

    borrowing func inode(_ nid: UInt64) throws(IndexError) -> Inode {
        let start = try inodeStart(nid)
        let bytes = try file.bytes.slice(start, Erofs.inodeSize)
        guard let layout = DataLayout(format: try bytes.load(InodeField.format, as: UInt16.self)) else {
            throw .damaged("inode format", at: nid)
        }
        let mode = UInt32(try bytes.load(InodeField.mode, as: UInt16.self))
        guard let type = FileType(mode: mode) else { throw .damaged("file type", at: nid) }
        let size = try bytes.load(InodeField.size, as: UInt64.self)
        guard size <= UInt64(Int64.max) else { throw .damaged("file size", at: nid) }
        let count = try bytes.load(InodeField.attributeCount, as: UInt16.self)
        return Inode(
            start: start, layout: layout, type: type, mode: mode, size: size,
            union: try bytes.load(InodeField.union, as: UInt32.self),
            attributeSize: AttributeBlock.size(count: count))
    }

    /// The attributes of a node. O(1).
    ///
    /// - Throws: `IndexError.damaged` when `nid` names no inode.
    public borrowing func node(_ nid: UInt64) throws(IndexError) -> TreeNode {
        let inode = try inode(nid)
        let bytes = try file.bytes.slice(inode.start, Erofs.inodeSize)
        let isDevice = inode.type == .characterDevice || inode.type == .blockDevice
        let mtime = Timestamp(
            seconds: Int64(bitPattern: try bytes.load(InodeField.mtime, as: UInt64.self)),
            nanoseconds: try bytes.load(InodeField.mtimeNanoseconds, as: UInt32.self))
        guard mtime.nanoseconds < 1_000_000_000 else { throw .damaged("modification time", at: nid) }
        return TreeNode(
            nid: nid, type: inode.type, mode: inode.mode,
            linkCount: try bytes.load(InodeField.linkCount, as: UInt32.self),
            uid: try bytes.load(InodeField.uid, as: UInt32.self),
            gid: try bytes.load(InodeField.gid, as: UInt32.self),
            size: inode.size, mtime: mtime,
            parent: UInt64(try bytes.load(InodeField.parent, as: UInt32.self)),
            device: isDevice ? DeviceNumber(encoded: inode.union) : .zero,
            hasExtendedAttributes: inode.attributeSize > 0)
    }
}

extension DeviceNumber {
    /// Decodes what the kernel's `new_encode_dev` made: 12 bits major, 20 bits minor.
    init(encoded: UInt32) {
        self.init(major: encoded >> 8 & 0xFFF, minor: encoded & 0xFF | encoded >> 12 & 0xF_FF00)
    }

    /// The kernel's `new_encode_dev`; nil where the numbers do not fit.
    var encoded: UInt32? {
        guard major < 1 << 12, minor < 1 << 20 else { return nil }
        return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
    }
}
