// NodeTable owns the nodes of the sandbox that somebody may still speak of. Every node in
// it is found by its id, and by its upper inode while it has a name on disk.

import LaminaCore

/// The sandbox's nodes by id and by inode. Guarded by the namespace's lock.
struct NodeTable: ~Copyable {
    private var byID: [NodeID: UpperNode] = [:]
    private var byInode: [UInt64: UpperNode] = [:]
    private var nextBorn: UInt64 = 1

    subscript(id: NodeID) -> UpperNode? { byID[id] }

    func node(inode: UInt64) -> UpperNode? { byInode[inode] }

    var count: Int { byID.count }

    /// Adds a node; its id is the lower node's where that is given and not taken.
    mutating func insert(type: FileType, inode: UInt64, lower: UInt64?) -> UpperNode {
        var id = NodeID.born(nextBorn)
        var origin: UInt64?
        if let lower, byID[NodeID(rawValue: lower)] == nil {
            id = NodeID(rawValue: lower)
            origin = lower
        } else {
            nextBorn &+= 1
        }
        let node = UpperNode(id: id, type: type, inode: inode, lower: origin)
        byID[id] = node
        byInode[inode] = node
        return node
    }

    /// Gives a copy of a lower file a number of its own. Under the lower's it stays known: to whoever
    /// has the old one open, and to lookups that come from the layers.
    mutating func renumber(_ node: UpperNode) {
        guard node.id.nid != nil, node.type == .regular else { return }
        node.formerIsKnown = true
        node.id = .born(nextBorn)
        nextBorn &+= 1
        node.lookups = 0
        byID[node.id] = node
    }

    /// The inode left the disk, so that its number may come back for another file.
    mutating func removeInode(of node: UpperNode) {
        if byInode[node.inode] === node { byInode[node.inode] = nil }
    }

    /// A removed file that nobody can open any more needs no block map.
    private func discardData(of node: UpperNode) {
        guard let data = node.data, let anchor = node.anchor else { return }
        if (try? anchor.descriptor.status().linkCount) == 0 { data.discard() }
    }

    /// The mount ends, and with it all files that have no name.
    func discardRemoved() {
        for node in byID.values where node.isRemoved { discardData(of: node) }
    }

    /// The kernel dropped `count` lookups of `id`. A node born in the sandbox is let go with
    /// the last one; one that continues a lower node stays while it has a name, because the
    /// kernel's count may hold lookups from before the copy-up.
    mutating func forget(_ id: NodeID, count: UInt64) {
        guard let node = byID[id] else { return }
        if id == node.id {
            node.lookups = node.lookups > count ? node.lookups - count : 0
            // A mapping keeps the kernel's inode, and so its lookups.
            if node.lookups == 0 { node.mayBeMapped = false }
        } else {
            // Nobody gets this number any more, so the kernel let go of its inode.
            node.formerIsKnown = false
        }
        guard node.lookups == 0, !node.formerIsKnown, node.children == 0, node.id != .root else { return }
        guard node.lower == nil || node.isRemoved else { return }
        byID[node.id] = nil
        if let lower = node.lower, byID[NodeID(rawValue: lower)] === node {
            byID[NodeID(rawValue: lower)] = nil
        }
        removeInode(of: node)
        for name in node.names { node.removeName(name.name, in: name.parent) }
        discardData(of: node)
        node.anchor = nil
    }
}
