// Copies of a layer's names, targets and xattrs into a table that is being merged.

import Glibc
import LaminaCore

extension Tree {
    /// Copies a symlink's target.
    borrowing func copyTarget(of nid: UInt64, to table: inout NodeTable) throws(IndexError) -> ByteRange {
        try table.store(try symlinkBytes(nid))
    }

    /// Copies the encoded xattrs of an inode, without the union's own if so wanted.
    ///
    /// - Throws: `IndexError.damaged` for xattrs that a reader of the copy would refuse.
    borrowing func copyAttributes(
        of nid: UInt64, to table: inout NodeTable, withoutMarks: Bool
    ) throws(IndexError) -> ByteRange {
        let inode = try inode(nid)
        guard inode.attributeSize > 0 else { return .none }
        var block: [UInt8] = []
        var iterator = try attributes(of: inode)
        while let attribute = try iterator.next() {
            guard AttributeBlock.namespace(index: attribute.index) != nil else {
                throw .damaged("xattr namespace", at: nid)
            }
            if !withoutMarks || attribute.isUnionMark { continue }
            AttributeBlock.append(
                index: attribute.index, suffix: attribute.suffix.copied()[...],
                value: attribute.value.copied(), to: &block)
        }
        guard withoutMarks else {
            return try table.store(
                try file.bytes.slice(inode.start + Erofs.inodeSize, inode.attributeSize))
        }
        return try table.store(block.raw)
    }

    /// Appends all entries of `source`, a directory of this tree, but the dots.
    ///
    /// - Throws: `IndexError.damaged` also where names are not in order or are no names.
    borrowing func appendCandidates(
        of source: Origin, to candidates: inout [Candidate], _ table: inout NodeTable
    ) throws(IndexError) {
        let extent = try directoryExtent(UInt64(source.nid))
        let entries = try file.bytes.slice(extent.start, extent.count)
        let first = candidates.count
        for number in 0..<(extent.count + Erofs.blockSize - 1) / Erofs.blockSize {
            let block = try DirectoryBlock(entries, block: number)
            for index in 0..<block.count {
                let name = try block.name(index)
                if name.isDot { continue }
                guard name.isName else { throw .damaged("directory entry name", at: UInt64(source.nid)) }
                guard let nid = UInt32(exactly: try block.nid(index)) else {
                    throw .damaged("a node id leaves the file", at: UInt64(source.nid))
                }
                let range = try table.store(name.raw)
                if candidates.count > first, !table.precedes(candidates[candidates.count - 1].name, range) {
                    throw .damaged("names out of order", at: UInt64(source.nid))
                }
                candidates.append(
                    Candidate(
                        name: range, origin: Origin(layer: source.layer, nid: nid),
                        type: FileType(direntCode: try block.typeCode(index))))
            }
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether no byte is a slash or a NUL, at which a reader of a block's last name would stop.
    fileprivate var isName: Bool {
        // SAFETY: memchr reads `count` bytes of the span.
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe memchr(base, 0, bytes.count) == nil && memchr(base, 0x2F, bytes.count) == nil
        }
    }

    /// Whether this is `.` or `..`.
    fileprivate var isDot: Bool {
        let dot = UInt8(ascii: ".")
        return count == 1 && self[0] == dot || count == 2 && self[0] == dot && self[1] == dot
    }
}
