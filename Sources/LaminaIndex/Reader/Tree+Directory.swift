// Walking a directory's entries in order, with cookies that stay good for ever.

import LaminaCore

extension Tree {
    /// Calls `body` with each entry of `directory` from `cookie` on, `.` and `..`
    /// included, in the order of names; `body` gives false to stop. Cookie 0 is the
    /// start; `nextCookie` is where to go on after this entry. The name is valid during
    /// the call only.
    ///
    /// A cookie is the byte offset of an entry in the directory, so it is good as long as
    /// the index is. One that no entry has goes on at the next entry behind it.
    ///
    /// - Throws: `IndexError.notADirectory` or `.damaged`.
    /// - Complexity: O(entries visited).
    public borrowing func forEachEntry(
        of directory: UInt64, from cookie: UInt64,
        _ body: (_ name: Span<UInt8>, _ nid: UInt64, _ type: FileType?, _ nextCookie: UInt64) -> Bool
    ) throws(IndexError) {
        let extent = try directoryExtent(directory)
        guard cookie < UInt64(extent.count) else { return }
        let entries = try file.bytes.slice(extent.start, extent.count)
        var offset = Int(truncatingIfNeeded: cookie)
        while offset < extent.count {
            let number = offset / Erofs.blockSize
            let block = try DirectoryBlock(entries, block: number)
            let start = number &* Erofs.blockSize
            var index = (offset &- start &+ Erofs.direntSize &- 1) / Erofs.direntSize
            while index < block.count {
                let isLast = index &+ 1 == block.count
                let next = isLast ? start &+ Erofs.blockSize : start &+ (index &+ 1) &* Erofs.direntSize
                let name = try block.name(index)
                let type = FileType(direntCode: try block.typeCode(index))
                guard body(name, try block.nid(index), type, UInt64(next)) else { return }
                index &+= 1
            }
            offset = start &+ Erofs.blockSize
        }
    }
}

extension DirectoryBlock {
    /// The name of the entry, from 1 to 255 bytes. `index` is below `count`.
    @inline(__always)
    @_lifetime(copy self)
    func name(_ index: Int) throws(IndexError) -> Span<UInt8> {
        let field = try nameField(index).elements
        var length = field.count
        if index &+ 1 == count {
            length = 0
            while length < field.count, field[length] != 0 { length &+= 1 }
        }
        guard length > 0, length <= Limits.nameLength else {
            throw .damaged("directory entry name", at: UInt64(index))
        }
        return field.extracting(0..<length)
    }
}

extension FileType {
    /// The type in a directory entry (`EROFS_FT_*`); nil when it says none.
    init?(direntCode code: UInt8) {
        switch code {
        case 1: self = .regular
        case 2: self = .directory
        case 3: self = .characterDevice
        case 4: self = .blockDevice
        case 5: self = .fifo
        case 6: self = .socket
        case 7: self = .symlink
        default: return nil
        }
    }

    /// The number of this type in a directory entry.
    var direntCode: UInt8 {
        switch self {
        case .regular: 1
        case .directory: 2
        case .characterDevice: 3
        case .blockDevice: 4
        case .fifo: 5
        case .socket: 6
        case .symlink: 7
        }
    }
}
