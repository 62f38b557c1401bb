// StreamHolder owns the alternate data streams of one file or directory of a Windows layer, from its entry to the
// next one that is no stream. Its xattrs are then written once, however many there are.

import LaminaCodec
import LaminaCore

struct StreamHolder {
    private var owner: ByteString?
    private(set) var node: Int32 = -1
    private(set) var attributes: [ExtendedAttribute] = []
    private var names: Set<ByteString> = []
    /// Bytes of xattrs that the node may still get.
    private var room = 0

    /// The entry that streams may belong to from now on, its node, and the bytes of that one's xattrs.
    mutating func follow(_ entry: TarEntry, node: Int32, used: Int) {
        if owner != nil { self = StreamHolder() }
        // Entries with streams say in xattrs that they are of Windows.
        guard !entry.extendedAttributes.isEmpty, entry.kind == .file || entry.kind == .directory else {
            return
        }
        owner = entry.path
        self.node = node
        names = Set(entry.extendedAttributes.map(\.name))
        room = AttributeBlock.maximumSize - AttributeBlock.roomForMarks - max(used, AttributeBlock.headerSize)
    }

    /// Whether `path` is one that a stream of the owner has.
    func own(_ path: ByteString) -> Bool {
        guard let owner else { return false }
        return path.hasPrefix(owner) && path.bytes.dropFirst(owner.count).first == UInt8(ascii: ":")
    }

    /// Keeps a stream for its owner; false when that one is another or can take no more, and the stream has to stay
    /// a file.
    mutating func take(_ stream: AlternateStream, _ path: ByteString) -> Bool {
        let name = stream.attributeName(path)
        let size = AttributeBlock.entrySize + name.count + stream.bytes.count + 3
        guard stream.owner == owner, size <= room, names.insert(name).inserted else { return false }
        room -= size
        attributes.append(ExtendedAttribute(name: name, value: stream.bytes))
        return true
    }

    mutating func clear() { attributes = [] }
}
