// Lookup: two binary searches, over a directory's blocks and inside one of them.

import Glibc
import LaminaCore

/// Where a directory's entries are in the file; all of it lies inside.
struct DirectoryExtent {
    var start: Int
    var count: Int

    /// Of the directory whose inode starts at byte `inode`.
    @inline(__always)
    init(_ bytes: RawSpan, inode: Int, nid: UInt64) throws(IndexError) {
        let mode = UInt32(try bytes.load(inode &+ InodeField.mode, as: UInt16.self))
        guard mode & FileType.mask == FileType.directory.rawValue else { throw .notADirectory(nid) }
        let format = try bytes.load(inode &+ InodeField.format, as: UInt16.self)
        guard DataLayout(format: format) == .plain else { throw .damaged("directory layout", at: nid) }
        let size = try bytes.load(inode &+ InodeField.size, as: UInt64.self)
        // At most 2^41: no overflow in 64 bits.
        start = Int(try bytes.load(inode &+ InodeField.union, as: UInt32.self)) &* Erofs.blockSize
        guard start <= bytes.byteCount, size <= UInt64(bytes.byteCount &- start) else {
            throw .damaged("a directory leaves the file", at: nid)
        }
        count = Int(truncatingIfNeeded: size)
    }
}

extension Tree {
    /// The bytes of a directory's entries.
    @inline(__always)
    borrowing func directoryExtent(_ nid: UInt64) throws(IndexError) -> DirectoryExtent {
        try DirectoryExtent(file.bytes, inode: try inodeStart(nid), nid: nid)
    }

    /// The node that `name` leads to in `directory`, or nil. `.` and `..` are names too.
    ///
    /// No allocation, lock or reference count.
    ///
    /// - Complexity: O(log n) in the directory's entries.
    /// - Throws: `IndexError.notADirectory`, or `.damaged` where the entries contradict
    ///   themselves.
    public borrowing func lookup(
        _ name: Span<UInt8>, in directory: UInt64
    ) throws(IndexError) -> UInt64? {
        let extent = try directoryExtent(directory)
        guard name.count > 0, name.count <= Limits.nameLength else { return nil }
        let entries = try file.bytes.slice(extent.start, extent.count)
        // The last block whose first name is not above `name`.
        var low = 0
        var high = (entries.byteCount &+ Erofs.blockSize &- 1) / Erofs.blockSize
        while low < high {
            let middle = (low &+ high) / 2
            let block = try DirectoryBlock(entries, block: middle)
            let order = try block.compare(0, name)
            if order == 0 { return try block.nid(0) }
            if order < 0 { low = middle &+ 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        return try DirectoryBlock(entries, block: low &- 1).find(name)
    }
}

/// One block of a directory: entries of 12 bytes, then their names in the same order.
struct DirectoryBlock: ~Escapable {
    let bytes: RawSpan
    /// The number of entries, at least one; all of them lie inside the block.
    let count: Int

    /// The block of this number; the last one of a directory may be short.
    @inline(__always)
    @_lifetime(copy entries)
    init(_ entries: RawSpan, block: Int) throws(IndexError) {
        let start = block &* Erofs.blockSize
        bytes = try entries.slice(start, min(Erofs.blockSize, entries.byteCount &- start))
        let names = Int(try bytes.load(8, as: UInt16.self))
        guard names >= Erofs.direntSize, names % Erofs.direntSize == 0, names <= bytes.byteCount else {
            throw .damaged("directory entry", at: UInt64(start))
        }
        count = names / Erofs.direntSize
    }

    /// The node id of the entry. `index` is below `count`.
    @inline(__always)
    func nid(_ index: Int) throws(IndexError) -> UInt64 {
        try bytes.load(index &* Erofs.direntSize, as: UInt64.self)
    }

    /// The entry's type byte. `index` is below `count`.
    @inline(__always)
    func typeCode(_ index: Int) throws(IndexError) -> UInt8 {
        try bytes.load(index &* Erofs.direntSize &+ 10, as: UInt8.self)
    }

    /// The bytes up to the next entry's name, or to the end of the block, where a NUL may
    /// end the name earlier.
    @inline(__always)
    @_lifetime(copy self)
    func nameField(_ index: Int) throws(IndexError) -> RawSpan {
        let entry = index &* Erofs.direntSize
        let start = Int(try bytes.load(entry &+ 8, as: UInt16.self))
        let end =
            index &+ 1 < count
            ? Int(try bytes.load(entry &+ Erofs.direntSize &+ 8, as: UInt16.self)) : bytes.byteCount
        guard start >= count &* Erofs.direntSize, start < end, end <= bytes.byteCount else {
            throw .damaged("directory entry name", at: UInt64(start))
        }
        return bytes.extracting(start..<end)
    }

    /// Negative when the entry's name is below `name`, 0 when equal, positive above.
    @inline(__always)
    func compare(_ index: Int, _ name: Span<UInt8>) throws(IndexError) -> Int32 {
        let field = try nameField(index)
        let common = min(field.byteCount, name.count)
        // SAFETY: both pointers have `common` readable bytes during the call.
        let order = unsafe field.withUnsafeBytes { stored in
            unsafe name.withUnsafeBufferPointer { wanted in
                guard let left = stored.baseAddress, let right = wanted.baseAddress else { return Int32(0) }
                return unsafe memcmp(left, right, common)
            }
        }
        // A NUL that ends the stored name early is below every byte of `name`.
        if order != 0 { return order }
        if field.byteCount < name.count { return -1 }
        return field.byteCount == common || field.byte(common) == 0 ? 0 : 1
    }

    @inline(__always)
    func find(_ name: Span<UInt8>) throws(IndexError) -> UInt64? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) / 2
            let order = try compare(middle, name)
            if order == 0 { return try nid(middle) }
            if order < 0 { low = middle &+ 1 } else { high = middle }
        }
        return nil
    }
}
