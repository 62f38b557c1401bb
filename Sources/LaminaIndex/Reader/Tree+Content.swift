// From a node to its bytes: where a file's are, and what a symlink says.

import LaminaCore

extension Tree {
    /// Where the bytes of a regular file are. O(1), O(xattrs) for an object.
    ///
    /// - Throws: `IndexError.damaged` when it is no regular file, or its place is outside
    ///   its layer's stream.
    public borrowing func content(_ nid: UInt64) throws(IndexError) -> TreeContent {
        let inode = try inode(nid)
        if inode.type == .regular, inode.size == 0 { return .empty }
        if let place = try streamPlace(inode, nid) {
            return .stream(device: place.device, offset: place.offset, length: place.length)
        }
        guard let redirect = try markValue(UnionMark.redirectName, inode),
            let digest = Digest(objectPath: redirect)
        else { throw .damaged("a large file names no object", at: nid) }
        return .object(digest, length: inode.size)
    }

    /// Where in its layer's stream a regular file is, an empty one anywhere; nil for an object.
    /// No allocation. O(1).
    ///
    /// - Throws: as `content` does.
    public borrowing func streamPlace(
        _ nid: UInt64
    ) throws(IndexError) -> (device: Int, offset: UInt64, length: UInt64)? {
        let inode = try inode(nid)
        if inode.type == .regular, inode.size == 0 { return (0, 0, 0) }
        return try streamPlace(inode, nid)
    }

    private borrowing func streamPlace(
        _ inode: Inode, _ nid: UInt64
    ) throws(IndexError) -> (device: Int, offset: UInt64, length: UInt64)? {
        guard inode.type == .regular else { throw .damaged("content of a node that is no file", at: nid) }
        guard inode.layout == .chunked, let chunks = inode.bodyEnd.roundedUp(to: Erofs.chunkIndexSize) else {
            throw .damaged("file layout", at: nid)
        }
        let address = try file.bytes.load(chunks + 4, as: UInt32.self)
        if address == Erofs.nullAddress { return nil }
        // Slots count from 1; 0 would be the index itself.
        let slot = Int(try file.bytes.load(chunks + 2, as: UInt16.self))
        guard slot >= 1, slot <= devices.count, inode.size <= Self.chunkSize(inode.union) else {
            throw .damaged("chunk of a file", at: nid)
        }
        let start = UInt64(address) * UInt64(Erofs.blockSize)
        let end = UInt64(devices[slot - 1].blocks) * UInt64(Erofs.blockSize)
        guard start <= end, inode.size <= end - start else {
            throw .damaged("a file leaves its layer's stream", at: nid)
        }
        return (slot - 1, start, inode.size)
    }

    /// The chunk size that a chunk format says; 0 when it is of another kind.
    private static func chunkSize(_ format: UInt32) -> UInt64 {
        guard format & ~UInt32(Erofs.chunkBitsMask) == UInt32(Erofs.chunkIndexesFlag) else { return 0 }
        return UInt64(Erofs.blockSize) << UInt64(format & UInt32(Erofs.chunkBitsMask))
    }

    /// The target of a symlink.
    ///
    /// - Throws: `IndexError.notASymlink`, or `.damaged`.
    public borrowing func symlinkTarget(_ nid: UInt64) throws(IndexError) -> ByteString {
        ByteString(try symlinkBytes(nid).elements)
    }

    /// Calls `body` with the target of a symlink as it stands in the index.
    ///
    /// - Throws: as `symlinkTarget` does.
    public borrowing func withSymlinkTarget(_ nid: UInt64, _ body: (RawSpan) -> Void) throws(IndexError) {
        body(try symlinkBytes(nid))
    }

    @_lifetime(borrow self)
    borrowing func symlinkBytes(_ nid: UInt64) throws(IndexError) -> RawSpan {
        let inode = try inode(nid)
        guard inode.type == .symlink else { throw .notASymlink(nid) }
        guard inode.size > 0, inode.size <= UInt64(Limits.symlinkLength) else {
            throw .damaged("symlink target", at: nid)
        }
        let start: Int
        switch inode.layout {
        case .inline: start = inode.bodyEnd
        case .plain: start = Int(inode.union) * Erofs.blockSize
        case .chunked: throw .damaged("symlink layout", at: nid)
        }
        return try file.bytes.slice(start, Int(inode.size))
    }
}

extension Digest {
    /// The digest that `/ab/cdef…` names below `objects/`.
    init?(objectPath path: [UInt8]) {
        let slash = UInt8(ascii: "/")
        guard path.count == 2 + Erofs.tagSize, path[0] == slash, path[3] == slash else { return nil }
        let digits = Array(path[1...2] + path[4...])
        self.init(hexDigits: digits.span)
    }

    /// `/ab/cdef…`: where the object of this name is below `objects/`.
    var objectPath: [UInt8] {
        let digits = Array(hex.utf8)
        return [UInt8(ascii: "/")] + digits[..<2] + [UInt8(ascii: "/")] + digits[2...]
    }

    /// Parses 64 lowercase hexadecimal digits given as bytes.
    init?(hexDigits digits: Span<UInt8>) {
        guard digits.count == Erofs.tagSize else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Digest.byteCount)
        for index in 0..<Digest.byteCount {
            guard let high = Self.value(digits[2 * index]), let low = Self.value(digits[2 * index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        self.init(bytes: bytes)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
