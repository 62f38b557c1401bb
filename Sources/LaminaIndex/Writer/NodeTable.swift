// NodeTable owns a whole tree in memory on its way into an index: flat arrays, indices
// instead of references. Both producers, layer builder and chain merge, end in one.

import Glibc
import LaminaCore

/// A range of a table's byte store.
struct ByteRange: Equatable {
    var offset: UInt32
    var count: UInt32

    static let none = ByteRange(offset: 0, count: 0)
    /// Where every table's bytes hold the name `.`.
    static let dot = ByteRange(offset: 0, count: 1)
    /// Where every table's bytes hold the name `..`.
    static let dotDot = ByteRange(offset: 0, count: 2)

    var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
}

/// What a node of a type holds.
enum NodeContent: Equatable {
    /// An empty file, a fifo or a socket.
    case empty
    /// Bytes of a layer's stream; slots count from 1, blocks are of 512 bytes.
    case stream(slot: UInt16, block: UInt32, size: UInt64)
    /// Bytes of an object, which an xattr names.
    case object(size: UInt64)
    case symlink(ByteRange)
    /// `count` entries from this one on, in the order of their names.
    case directory(first: Int, count: Int)
    /// An encoded device number.
    case device(UInt32)
}

/// An inode to be written. Link counts are found when it is.
struct Node {
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    var nanoseconds: UInt32
    var seconds: Int64
    var content: NodeContent
    /// The xattrs in their encoded form.
    var attributes: ByteRange

    init(_ attributes: FileAttributes, content: NodeContent, extended: ByteRange = .none) {
        mode = attributes.mode
        uid = attributes.uid
        gid = attributes.gid
        nanoseconds = min(attributes.mtime.nanoseconds, 999_999_999)
        seconds = attributes.mtime.seconds
        self.content = content
        self.attributes = extended
    }

    init(_ node: TreeNode, content: NodeContent, extended: ByteRange) {
        mode = node.mode
        uid = node.uid
        gid = node.gid
        nanoseconds = node.mtime.nanoseconds
        seconds = node.mtime.seconds
        self.content = content
        self.attributes = extended
    }

    var type: FileType { FileType(mode: mode) ?? .regular }
}

/// A name in a directory, and the node it leads to.
struct Entry {
    var name: ByteRange
    var node: Int
}

/// A tree to be written. Node 0 is the root; every other is reached by an entry.
struct NodeTable: ~Copyable {
    var nodes: [Node] = []
    var entries: [Entry] = []
    /// Names, symlink targets and encoded xattrs; starts with `..`.
    var bytes: [UInt8] = Array("..".utf8)

    init() {}

    /// Keeps a copy of `source`.
    mutating func store(_ source: RawSpan) throws(IndexError) -> ByteRange {
        let offset = bytes.count
        guard offset + source.byteCount <= Int(UInt32.max) else {
            throw .tooLarge("names and xattrs exceed 4 GiB")
        }
        // SAFETY: the bytes are copied during the call.
        unsafe source.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return ByteRange(offset: UInt32(offset), count: UInt32(source.byteCount))
    }

    /// The bytes of `range`.
    @_lifetime(borrow self)
    borrowing func span(_ range: ByteRange) -> Span<UInt8> {
        bytes.span.extracting(range.range)
    }

    /// Compares two names as `memcmp` does, the shorter first.
    borrowing func precedes(_ left: ByteRange, _ right: ByteRange) -> Bool {
        bytes.span.extracting(left.range).compare(bytes.span.extracting(right.range)) < 0
    }
}

extension Span where Element == UInt8 {
    /// Negative, zero or positive as `self` is below, equal to or above `other`.
    @inline(__always)
    func compare(_ other: Span<UInt8>) -> Int {
        // SAFETY: both pointers have the compared number of readable bytes during the call.
        let order = unsafe withUnsafeBufferPointer { left in
            unsafe other.withUnsafeBufferPointer { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return Int32(0) }
                return unsafe memcmp(first, second, Swift.min(left.count, right.count))
            }
        }
        return order != 0 ? Int(order) : count - other.count
    }
}
