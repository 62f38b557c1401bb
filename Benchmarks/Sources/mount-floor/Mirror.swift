// Mirror owns a copy of a tree's names and attributes in memory, read once: what a server must look up costs one probe
// of a hash table. Names of one directory lie side by side, so that a listing is a range. Changes.swift keeps the names
// true; attributes of what was changed are asked of the tree.

import Glibc
import LaminaCore
import LaminaSystem

/// A name, and under a node's first name the node itself: nodes have the numbers of those.
struct MirroredNode {
    var parent: UInt32
    var name: Range<UInt32>
    /// The node that this is a name of.
    var node: UInt32
    /// A name that leads to this node, its first one or one made later.
    var place: UInt32
    var status: FileStatus
    var children: Range<UInt32> = 0..<0
    /// The name is no more.
    var isGone = false
    /// The tree knows better than `status`.
    var isChanged = false
    /// The tree knows better than `children`.
    var isRelisted = false
    /// The kernel may hold pages that passthrough wrote past.
    var hasStalePages = false
}

struct Mirror: ~Copyable {
    var nodes: [MirroredNode] = []
    var names: [UInt8] = []
    /// Numbers by parent and name, open addressing; 0 is empty, because the root has no name.
    var table: [UInt32] = []
    /// Places of the table that are not empty.
    var filled = 0
    /// All names of the nodes that have more than one.
    var links: [UInt32: [UInt32]] = [:]

    /// A place of the table whose name is gone.
    static let removed = UInt32.max

    /// Reads the tree below `root`.
    init(_ root: borrowing Descriptor) throws(Errno) {
        nodes.append(
            MirroredNode(parent: 0, name: 0..<0, node: 0, place: 0, status: try root.status()))
        var index = 0
        var linked: [UInt64: UInt32] = [:]
        while index < nodes.count {
            if nodes[index].status.type == .directory { try readDirectory(index, root, &linked) }
            index += 1
        }
        fillTable()
    }

    private mutating func readDirectory(
        _ index: Int, _ root: borrowing Descriptor, _ linked: inout [UInt64: UInt32]
    ) throws(Errno) {
        let directory = try root.openDirectory(try path(UInt32(index)))
        let first = UInt32(nodes.count)
        for entry in try directory.entries() {
            let status = try directory.status(of: entry.name)
            let number = UInt32(nodes.count)
            var node = number
            if status.linkCount > 1, status.type != .directory {
                node = linked[status.inode] ?? number
                linked[status.inode] = node
                links[node, default: []].append(number)
            }
            let start = UInt32(names.count)
            names += entry.name.bytes
            nodes.append(
                MirroredNode(
                    parent: UInt32(index), name: start..<UInt32(names.count), node: node, place: number,
                    status: status))
        }
        nodes[index].children = first..<UInt32(nodes.count)
    }

    /// The path of a node from the root, `.` for the root itself; `ESTALE` when no name is left.
    func path(_ node: UInt32) throws(Errno) -> ByteString {
        var length = 0
        var current = node
        while current != 0 {
            let place = nodes[Int(nodes[Int(current)].place)]
            if place.isGone { throw .staleNFSFileHandle }
            length += place.name.count + 1
            current = place.parent
        }
        guard length > 0 else { return "." }
        var path = [UInt8](repeating: UInt8(ascii: "/"), count: length - 1)
        var end = path.count
        current = node
        while current != 0 {
            let place = nodes[Int(nodes[Int(current)].place)]
            end -= place.name.count
            for index in 0..<place.name.count {
                path[end + index] = names[Int(place.name.lowerBound) + index]
            }
            end -= 1
            current = place.parent
        }
        return ByteString(path)
    }

    /// The number of what is called `name` in `parent`.
    func find(_ name: Span<UInt8>, in parent: UInt32) -> UInt32? {
        var place = Self.hash(name, parent) & (table.count - 1)
        while table[place] != 0 {
            let index = table[place]
            if index != Self.removed, nodes[Int(index)].parent == parent, isName(name, of: Int(index)) {
                return index
            }
            place = (place + 1) & (table.count - 1)
        }
        return nil
    }

    func find(_ name: [UInt8], in parent: UInt32) -> UInt32? { find(name.span, in: parent) }

    private func isName(_ name: Span<UInt8>, of index: Int) -> Bool {
        let range = nodes[index].name
        guard range.count == name.count else { return false }
        for index in name.indices where names[Int(range.lowerBound) + index] != name[index] {
            return false
        }
        return true
    }

    func hash(of index: UInt32) -> Int {
        let node = nodes[Int(index)]
        let name = names.span.extracting(Int(node.name.lowerBound)..<Int(node.name.upperBound))
        return Self.hash(name, node.parent)
    }

    private static func hash(_ name: Span<UInt8>, _ parent: UInt32) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(parent) &* 0x9E37_79B9_7F4A_7C15
        for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ hash >> 29) & 0x7FFF_FFFF)
    }
}
