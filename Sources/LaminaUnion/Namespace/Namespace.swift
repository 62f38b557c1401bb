// Namespace owns the tree that a container sees: which names lead to which nodes, in the
// lower tree and in the sandbox together. One lock guards it; every change leaves the
// sandbox on disk in overlayfs's convention after each single step.

import LaminaCore
import LaminaIndex
import LaminaSystem

/// The union's changing half. All methods expect the caller to hold the union's lock.
struct Namespace: ~Copyable {
    let lower: LowerTree
    let upper: UpperTree
    /// Which lower nodes were copied up or merged with a directory of the sandbox. Only ever set.
    let twins: AtomicBits
    let hardLinks = HardLinkNames()
    let root: UpperNode
    var table: NodeTable
    /// Lower nodes that lost their only name without a copy; somebody may have them open.
    private var gone: Set<UInt64> = []

    init(lower: LowerTree, upper: UpperTree, twins: AtomicBits) throws(Errno) {
        self.lower = lower
        self.upper = upper
        self.twins = twins
        var table = NodeTable()
        let status = try upper.root.status()
        root = table.insert(type: .directory, inode: status.inode, lower: Tree.root)
        self.table = table
        twins.insert(Tree.root)
        try? upper.names.read(.root, from: upper.root)
    }

    /// The node called `name` in `parent`; nil when there is none. A node of the sandbox is
    /// in the table afterwards; `remember` counts the lookup once the kernel has the answer.
    mutating func lookup(_ name: ByteString, in parent: NodeID) throws(Errno) -> Entry? {
        guard let directory = table[parent] else {
            guard let nid = parent.nid else { throw .staleNFSFileHandle }
            return try lowerEntry(name, in: nid)
        }
        return try lookup(name, in: directory)
    }

    mutating func lookup(_ name: ByteString, in directory: UpperNode) throws(Errno) -> Entry? {
        guard !directory.isRemoved else { return nil }
        if let status = try upper.status(of: name, in: directory) {
            if status.isWhiteout { return nil }
            let isKnown = table.node(inode: status.inode) != nil
            let node = try attach(name, in: directory, status: status)
            guard !isKnown, node.data != nil else {
                return Entry(id: node.id, status: visible(status, of: node))
            }
            // Where a power cut took its bytes, it has the layer's size only now.
            return Entry(id: node.id, status: visible(try upper.status(of: node), of: node))
        }
        guard directory.type == .directory, let merged = directory.lower else { return nil }
        return try lowerEntry(name, in: merged)
    }

    private func lowerEntry(_ name: ByteString, in directory: UInt64) throws(Errno) -> Entry? {
        guard let nid = try lower.lookup(name, in: directory) else { return nil }
        if let node = table[NodeID(rawValue: nid)] {
            guard !node.isRemoved else { return nil }
            return Entry(id: node.id, status: visible(try upper.status(of: node), of: node))
        }
        return Entry(id: NodeID(rawValue: nid), status: try lower.status(nid))
    }

    /// The table's node for what is on disk at `name`, made when it is new.
    mutating func attach(
        _ name: ByteString, in directory: UpperNode, status: FileStatus
    ) throws(Errno) -> UpperNode {
        guard let type = status.type else { throw .ioError }
        if let known = table.node(inode: status.inode) {
            known.addName(name, in: directory)
            return known
        }
        let handle = try upper.openPath(name, in: directory)
        let origin = try self.origin(of: handle, name, in: directory, type: type)
        // Before it is in the table: a node that is there knows where its bytes are.
        let data =
            type == .regular
            ? try UpperData.find(of: handle, source: origin, lower: lower, upper: upper) : nil
        let node = adopt(name, in: directory, inode: status.inode, type: type, lower: origin)
        node.data = data
        // What cannot be read stays unknown.
        if type == .directory { try? upper.names.read(node.id, from: handle) }
        return node
    }

    /// Puts a node into the table whose lower node is known.
    mutating func adopt(
        _ name: ByteString, in directory: UpperNode, inode: UInt64, type: FileType, lower: UInt64?
    ) -> UpperNode {
        let node = table.insert(type: type, inode: inode, lower: lower)
        node.addName(name, in: directory)
        if let nid = node.id.nid { twins.insert(nid) }
        return node
    }

    /// The lower node that the sandbox's `name` continues: for a directory the one merged
    /// with it, for others the one it was copied from.
    func origin(
        of handle: borrowing Descriptor, _ name: ByteString, in directory: UpperNode, type: FileType
    ) throws(Errno) -> UInt64? {
        guard type == .directory else {
            guard let mark = try handle.mark(upper.convention.origin) else {
                return type == .regular ? try foreignOrigin(of: handle, name, in: directory) : nil
            }
            guard let nid = UInt64(String(decoding: mark, as: UTF8.self)),
                let node = try? lower.node(nid), FileType(mode: node.mode) == type
            else { return nil }
            return nid
        }
        if try handle.mark(upper.convention.opaque) == [UInt8(ascii: "y")] { return nil }
        if let redirect = try handle.mark(upper.convention.redirect) {
            let path = ByteString(redirect)
            if path.hasPrefix("/") { return try lower.directory(atPath: path) }
            return try lowerDirectory(path, in: directory)
        }
        return try lowerDirectory(name, in: directory)
    }

    private func lowerDirectory(_ name: ByteString, in directory: UpperNode) throws(Errno) -> UInt64? {
        guard let merged = directory.lower, let nid = try lower.lookup(name, in: merged) else { return nil }
        return FileType(mode: try lower.node(nid).mode) == .directory ? nid : nil
    }

    /// What stat shows of a node of the sandbox: its own status under its stable number.
    func visible(_ status: FileStatus, of node: UpperNode) -> FileStatus {
        var status = status
        status.inode = node.lower ?? NodeID.inodeNumber(ofUpper: status.inode)
        status.isFleeting = node.isFleeting
        // Its bytes take room in the layers; fewer blocks than bytes would look like holes.
        if let data = node.data, !data.isWhole {
            status.blocks = max(status.blocks, (status.size &+ 511) / 512)
        }
        // As on overlayfs: subdirectories of a merged directory are not counted.
        if node.type == .directory && node.lower != nil { status.linkCount = 1 }
        return status
    }

    /// What stat shows of a node.
    func status(of id: NodeID) throws(Errno) -> FileStatus {
        if let node = table[id] { return visible(try upper.status(of: node), of: node) }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        var status = try lower.status(nid)
        if gone.contains(nid) { status.linkCount = 0 }
        return status
    }

    /// Notes that a node lost its last name. One in the sandbox says so itself.
    mutating func markGone(_ id: NodeID) {
        guard table[id] == nil, let nid = id.nid else { return }
        gone.insert(nid)
        twins.insert(nid)
    }

    /// The kernel dropped `count` lookups of `id`.
    mutating func forget(_ id: NodeID, count: UInt64) {
        if let nid = id.nid, !gone.isEmpty { gone.remove(nid) }
        table.forget(id, count: count)
    }

    /// Counts a lookup that the kernel was told of.
    func remember(_ id: NodeID) {
        guard let node = table[id] else { return }
        node.lookups &+= 1
    }

    /// Whether the lower half of `directory` has `name`, which must then be hidden when the
    /// sandbox's own entry goes away.
    func lowerHas(_ name: ByteString, in directory: UpperNode) throws(Errno) -> Bool {
        guard let merged = directory.lower else { return false }
        return try lower.lookup(name, in: merged) != nil
    }
}
