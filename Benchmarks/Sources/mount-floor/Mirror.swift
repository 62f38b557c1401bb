// Mirror owns a copy of a tree's names and attributes in memory, read once: what a server must look up costs one probe
// of a hash table. Nodes of one directory lie side by side, so that a listing is a range.

import Glibc
import LaminaCore
import LaminaSystem

/// A node as the kernel wants it.
struct MirroredNode {
    var parent: UInt32
    var name: Range<UInt32>
    var status: FileStatus
    var children: Range<UInt32> = 0..<0
}

struct Mirror: ~Copyable {
    private(set) var nodes: [MirroredNode] = []
    private(set) var names: [UInt8] = []
    /// Numbers of nodes by parent and name, open addressing; 0 is empty, because the root has no name.
    private var table: [UInt32]

    /// Reads the tree below `root`. What cannot be read is left out.
    init(_ root: borrowing Descriptor) throws(Errno) {
        table = []
        nodes.append(MirroredNode(parent: 0, name: 0..<0, status: try root.status()))
        var index = 0
        while index < nodes.count {
            if nodes[index].status.type == .directory { try readDirectory(index, root) }
            index += 1
        }
        var size = 16
        while size < nodes.count * 2 { size *= 2 }
        table = [UInt32](repeating: 0, count: size)
        for index in nodes.indices.dropFirst() { enter(UInt32(index)) }
    }

    private mutating func readDirectory(_ index: Int, _ root: borrowing Descriptor) throws(Errno) {
        let directory = try root.openDirectory(path(UInt32(index)))
        let first = UInt32(nodes.count)
        for entry in try directory.entries() {
            let start = UInt32(names.count)
            names += entry.name.bytes
            nodes.append(
                MirroredNode(
                    parent: UInt32(index), name: start..<UInt32(names.count),
                    status: try directory.status(of: entry.name)))
        }
        nodes[index].children = first..<UInt32(nodes.count)
    }

    /// The path of a node from the root, `.` for the root itself.
    func path(_ index: UInt32) -> ByteString {
        var components: [ArraySlice<UInt8>] = []
        var current = index
        while current != 0 {
            let name = nodes[Int(current)].name
            components.append(names[Int(name.lowerBound)..<Int(name.upperBound)])
            current = nodes[Int(current)].parent
        }
        let path = components.reversed().joined(separator: [UInt8(ascii: "/")])
        return components.isEmpty ? "." : ByteString(Array(path))
    }

    private mutating func enter(_ index: UInt32) {
        let node = nodes[Int(index)]
        let last = table.count - 1
        var place =
            Self.hash(
                names.span.extracting(Int(node.name.lowerBound)..<Int(node.name.upperBound)), node.parent)
            & last
        while table[place] != 0 { place = (place + 1) & last }
        table[place] = index
    }

    /// The node called `name` in `parent`.
    func find(_ name: Span<UInt8>, in parent: UInt32) -> UInt32? {
        var place = Self.hash(name, parent) & (table.count - 1)
        while table[place] != 0 {
            let index = table[place]
            if nodes[Int(index)].parent == parent, isName(name, of: nodes[Int(index)]) { return index }
            place = (place + 1) & (table.count - 1)
        }
        return nil
    }

    private func isName(_ name: Span<UInt8>, of node: MirroredNode) -> Bool {
        guard node.name.count == name.count else { return false }
        for index in name.indices where names[Int(node.name.lowerBound) + index] != name[index] {
            return false
        }
        return true
    }

    private static func hash(_ name: Span<UInt8>, _ parent: UInt32) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(parent) &* 0x9E37_79B9_7F4A_7C15
        for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ hash >> 29) & 0x7FFF_FFFF)
    }
}
