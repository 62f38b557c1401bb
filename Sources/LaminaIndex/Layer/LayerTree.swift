// LayerTree owns the tree of one layer while its tar is read. Whatever the order of the
// entries, the last one of a path counts, and no path passes through anything but directories.

import LaminaCodec
import LaminaCore

/// The tree of a layer in the making. Node 0 is the root.
struct LayerTree: ~Copyable {
    var table = NodeTable()
    var names = NameIndex()
    /// Of each node, what the layer says of it as a directory.
    var marks: [DirectoryMarks] = []
    /// The directory of the path added last: tars name neighbours one after the other.
    private var cachedPath = ByteString()
    private var cachedDirectory: Int32?

    /// Names that the layer may have.
    private let nameLimit: Int

    init(nameLimit: Int = Limits.entriesPerLayer) {
        self.nameLimit = nameLimit
        _ = append(Node(Self.impliedDirectory, content: .directory(first: 0, count: 0)), marks: .implied)
    }

    /// What a directory is that the layer never names but has something in.
    static let impliedDirectory = FileAttributes(type: .directory, permissions: 0o755)

    mutating func append(_ node: Node, marks: DirectoryMarks = []) -> Int32 {
        table.nodes.append(node)
        self.marks.append(marks)
        return Int32(truncatingIfNeeded: table.nodes.count - 1)
    }

    /// The node that `path` leads to in this layer, or nil.
    borrowing func find(_ path: ByteString) throws(LayerError) -> Int32? {
        var node: Int32 = 0
        for (depth, component) in path.components.enumerated() {
            if depth > 0 { try requireDirectory(node, path) }
            let number = component.withSpan { names.find($0, in: node, table.bytes) }
            guard let number, names.links[number].node >= 0 else { return nil }
            node = names.links[number].node
        }
        return node
    }

    /// The directory of `path`, made with its own parents where the layer has not named
    /// them, and the path's last component.
    mutating func parent(of path: ByteString) throws(LayerError) -> (directory: Int32, name: ByteString) {
        guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) else { return (0, path) }
        let name = path.dropFirst(slash + 1)
        if let cachedDirectory, cachedPath.count == slash, path.hasPrefix(cachedPath) {
            return (cachedDirectory, name)
        }
        let directory = ByteString(path.bytes[..<slash])
        var node: Int32 = 0
        for component in directory.components {
            if component.hasPrefix(Whiteout.prefix), !component.hasPrefix(Whiteout.metadataPrefix) {
                throw .badWhiteout(path)
            }
            let number = try link(component, in: node)
            if names.links[number].node < 0 {
                let made = append(
                    Node(Self.impliedDirectory, content: .directory(first: 0, count: 0)), marks: .implied)
                names.update(number) { $0.node = made }
            }
            node = names.links[number].node
            try requireDirectory(node, path)
        }
        cachedPath = directory
        cachedDirectory = node
        return (node, name)
    }

    /// The link of `name` in `directory`, made when there is none.
    mutating func link(_ name: ByteString, in directory: Int32) throws(LayerError) -> Int {
        if let number = name.withSpan({ names.find($0, in: directory, table.bytes) }) { return number }
        guard names.links.count < nameLimit else { throw .tooManyEntries(limit: UInt64(nameLimit)) }
        let range = try store(name)
        return names.insert(Link(parent: directory, name: range, node: -1, hidesLower: false), table.bytes)
    }

    /// Makes `number` lead to `node`. A directory that was there goes with all beneath it.
    mutating func set(_ number: Int, to node: Int32) {
        let old = names.links[number].node
        if old >= 0, isDirectory(old) { cachedDirectory = nil }
        names.update(number) { $0.node = node }
    }

    borrowing func isDirectory(_ node: Int32) -> Bool {
        if case .directory = table.nodes[Int(node)].content { return true }
        return false
    }

    mutating func store(_ name: ByteString) throws(LayerError) -> ByteRange {
        try name.withSpan { (bytes) throws(LayerError) in try store(bytes.raw) }
    }

    mutating func store(_ bytes: RawSpan) throws(LayerError) -> ByteRange {
        do throws(IndexError) {
            return try table.store(bytes)
        } catch {
            throw .tooManyBytes(limit: UInt64(UInt32.max))
        }
    }

    private borrowing func requireDirectory(_ node: Int32, _ path: ByteString) throws(LayerError) {
        if isDirectory(node) { return }
        let parent = nameOf(node)
        if case .symlink = table.nodes[Int(node)].content {
            throw .parentIsSymlink(path: path, parent: parent)
        }
        throw .parentNotDirectory(path: path, parent: parent)
    }

    /// The first path by which the layer names `node`; for messages only, O(names).
    private borrowing func nameOf(_ node: Int32) -> ByteString {
        var path = ByteString()
        var current = node
        for _ in 0..<Limits.depth {
            guard current > 0, let link = names.links.first(where: { $0.node == current }) else { break }
            let name = ByteString(table.bytes[link.name.range])
            path = path.isEmpty ? name : name.appending(path)
            current = link.parent
        }
        return path
    }
}

/// What a layer says of one of its directories.
struct DirectoryMarks: OptionSet {
    var rawValue: UInt8

    /// The layer never names it: attributes are those of the layers below.
    static let implied = DirectoryMarks(rawValue: 1)
    /// It hides everything that the layers below have in it.
    static let opaque = DirectoryMarks(rawValue: 2)
}
