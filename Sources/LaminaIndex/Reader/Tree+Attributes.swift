// Extended attributes as a container sees them, and the marks that only the union sees.

import LaminaCore

extension Tree {
    /// The xattrs that a container sees: those of the union are hidden, and a layer's own
    /// `trusted.overlay.x` has its real name again. In stored order.
    public borrowing func extendedAttributes(_ nid: UInt64) throws(IndexError) -> [ExtendedAttribute] {
        var result: [ExtendedAttribute] = []
        var iterator = try attributes(of: try inode(nid))
        while let stored = try iterator.next() {
            if stored.isUnionMark { continue }
            let isEscaped =
                stored.index == AttributeBlock.trustedIndex && stored.hasSuffixPrefix("overlay.overlay.")
            guard let namespace = AttributeBlock.namespace(index: stored.index) else {
                throw .damaged("xattr namespace", at: nid)
            }
            let suffix = ByteString(stored.suffix.elements)
            result.append(
                ExtendedAttribute(
                    name: namespace.prefix + (isEscaped ? suffix.dropFirst("overlay.".utf8.count) : suffix),
                    value: stored.value.copied()))
        }
        return result
    }

    /// The value of the xattr that a container knows as `name`, or nil.
    public borrowing func extendedAttribute(
        _ nid: UInt64, _ name: Span<UInt8>
    ) throws(IndexError) -> [UInt8]? {
        let inode = try inode(nid)
        guard inode.attributeSize > 0 else { return nil }
        var wanted = ByteString(name)
        if wanted.hasPrefix(Whiteout.attributePrefix) {
            wanted = Whiteout.escapedAttributePrefix + wanted.dropFirst(Whiteout.attributePrefix.count)
        }
        guard let namespace = AttributeBlock.namespace(of: wanted) else { return nil }
        let suffix = wanted.dropFirst(namespace.prefix.count)
        var iterator = try attributes(of: inode)
        while let stored = try iterator.next() {
            if stored.index == namespace.index, ByteString(stored.suffix.elements) == suffix {
                return stored.value.copied()
            }
        }
        return nil
    }

    /// Whether this directory of a layer hides what lower layers have in it.
    public borrowing func isOpaque(_ nid: UInt64) throws(IndexError) -> Bool {
        try hasMark(UnionMark.opaqueName, try inode(nid))
    }

    /// Whether the inode has the xattr `trusted.` and `name`.
    borrowing func hasMark(_ name: StaticString, _ inode: Inode) throws(IndexError) -> Bool {
        try markValue(name, inode) != nil
    }

    /// The value of the xattr `trusted.` and `name`, one of the union's own.
    borrowing func markValue(_ name: StaticString, _ inode: Inode) throws(IndexError) -> [UInt8]? {
        var iterator = try attributes(of: inode)
        while let stored = try iterator.next() {
            if stored.isTrusted(name) { return stored.value.copied() }
        }
        return nil
    }

    @_lifetime(borrow self)
    borrowing func attributes(of inode: Inode) throws(IndexError) -> AttributeIterator {
        try AttributeIterator(
            try file.bytes.slice(inode.start + Erofs.inodeSize, inode.attributeSize))
    }
}

extension RawSpan {
    /// The bytes, copied.
    func copied() -> [UInt8] {
        // SAFETY: the pointer is read during the call only.
        unsafe withUnsafeBytes { unsafe Array($0) }
    }
}
