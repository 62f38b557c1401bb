// The xattrs behind an inode: a header of 12 bytes, then entries, each padded to four.

import LaminaCore

/// The encoding of inline xattrs, as the kernel's `fs/erofs/xattr.h` reads it.
enum AttributeBlock {
    static let headerSize = 12
    static let entrySize = 4
    /// `i_xattr_icount` counts four-byte units from here, plus one.
    static let maximumSize = headerSize + (Int(UInt16.max) - 1) * 4

    /// Bytes of the marks of a directory, which come last.
    static let roomForMarks = 128

    /// A name's prefix that one byte of the entry stands for.
    struct Namespace {
        var index: UInt8
        var prefix: ByteString
        /// Whether a name must follow the prefix.
        var takesSuffix: Bool
    }

    static let namespaces: [Namespace] = [
        Namespace(index: 1, prefix: "user.", takesSuffix: true),
        Namespace(index: 2, prefix: "system.posix_acl_access", takesSuffix: false),
        Namespace(index: 3, prefix: "system.posix_acl_default", takesSuffix: false),
        Namespace(index: 4, prefix: "trusted.", takesSuffix: true),
        Namespace(index: 6, prefix: "security.", takesSuffix: true),
    ]

    static let trustedIndex: UInt8 = 4

    /// Bytes of the xattrs of an inode with this `i_xattr_icount`.
    @inline(__always)
    static func size(count: UInt16) -> Int {
        count == 0 ? 0 : headerSize &+ (Int(count) &- 1) &* 4
    }

    /// `i_xattr_icount` of a block of this many bytes.
    static func count(size: Int) -> UInt16 {
        size < headerSize ? 0 : UInt16(truncatingIfNeeded: (size - headerSize) / 4 + 1)
    }

    /// The namespace of a full name; nil for one that EROFS cannot express.
    static func namespace(of name: ByteString) -> Namespace? {
        namespaces.first { namespace in
            namespace.takesSuffix
                ? name.hasPrefix(namespace.prefix) && name.count > namespace.prefix.count
                : name == namespace.prefix
        }
    }

    static func namespace(index: UInt8) -> Namespace? {
        namespaces.first { $0.index == index }
    }
}

/// One stored xattr, borrowed from the file.
struct StoredAttribute: ~Escapable {
    let index: UInt8
    let suffix: RawSpan
    let value: RawSpan

    @_lifetime(copy suffix, copy value)
    init(index: UInt8, suffix: RawSpan, value: RawSpan) {
        self.index = index
        self.suffix = suffix
        self.value = value
    }

    /// Whether the name is `trusted.` and these bytes.
    func isTrusted(_ name: StaticString) -> Bool {
        guard index == AttributeBlock.trustedIndex, suffix.byteCount == name.utf8CodeUnitCount else {
            return false
        }
        return hasSuffixPrefix(name)
    }

    /// Whether the name behind the namespace starts with these bytes.
    func hasSuffixPrefix(_ prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard suffix.byteCount >= length else { return false }
        for offset in 0..<length {
            // SAFETY: the offset is below the static string's length.
            let wanted = unsafe prefix.utf8Start[offset]
            if suffix.byte(offset) != wanted { return false }
        }
        return true
    }
}

/// Walks the entries of one inode's xattrs.
struct AttributeIterator: ~Escapable {
    private let bytes: RawSpan
    private var offset: Int

    /// `bytes` is the whole block behind the inode, header included; empty is good.
    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) throws(IndexError) {
        self.bytes = bytes
        offset = AttributeBlock.headerSize
        if bytes.byteCount == 0 {
            offset = 0
        } else if try bytes.load(4, as: UInt8.self) != 0 {
            throw .damaged("shared xattrs, which Lamina does not write", at: 0)
        }
    }

    /// The next xattr, or nil at the end.
    @_lifetime(copy self)
    mutating func next() throws(IndexError) -> StoredAttribute? {
        guard offset &+ AttributeBlock.entrySize <= bytes.byteCount else { return nil }
        let nameLength = Int(try bytes.load(offset, as: UInt8.self))
        let index = try bytes.load(offset &+ 1, as: UInt8.self)
        let valueLength = Int(try bytes.load(offset &+ 2, as: UInt16.self))
        let nameStart = offset &+ AttributeBlock.entrySize
        let suffix = try bytes.slice(nameStart, nameLength)
        let value = try bytes.slice(nameStart &+ nameLength, valueLength)
        offset = (nameStart &+ nameLength &+ valueLength &+ 3) & ~3
        return StoredAttribute(index: index, suffix: suffix, value: value)
    }
}
