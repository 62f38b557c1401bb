// Listing a directory: the sandbox's entries, and the layers' that nothing hides.

import LaminaCore
import LaminaIndex
import LaminaSystem

/// One entry of a directory that the container sees.
public struct ListedEntry: Sendable {
    public var name: ByteString
    /// What stat shows as the node's inode number.
    public var inode: UInt64
    public var type: FileType?
}

extension Namespace {
    /// All entries of a directory but `.` and `..`.
    func entries(of id: NodeID) throws(Errno) -> [ListedEntry] {
        guard let node = table[id] else {
            guard let nid = id.nid else { throw .staleNFSFileHandle }
            return try lower.entries(of: nid).map {
                ListedEntry(name: $0.name, inode: $0.nid, type: $0.type)
            }
        }
        guard !node.isRemoved else { return [] }
        var result: [ListedEntry] = []
        var hidden: Set<ByteString> = []
        for entry in try upper.open(node).openDirectory(".").entries() {
            if node.lower != nil { hidden.insert(entry.name) }
            if let listed = try listed(entry, in: node) { result.append(listed) }
        }
        guard let merged = node.lower else { return result }
        for entry in try lower.entries(of: merged) where !hidden.contains(entry.name) {
            result.append(ListedEntry(name: entry.name, inode: entry.nid, type: entry.type))
        }
        return result
    }

    private func listed(_ entry: DirectoryEntry, in directory: UpperNode) throws(Errno) -> ListedEntry? {
        var type = entry.type
        if type == nil || type == .characterDevice {
            guard let status = try upper.status(of: entry.name, in: directory) else { return nil }
            if status.isWhiteout { return nil }
            type = status.type
        }
        guard let type else { return nil }
        let nid: UInt64?
        if let known = table.node(inode: entry.inode) {
            nid = known.lower
        } else {
            let handle = try upper.openPath(entry.name, in: directory)
            nid = try origin(of: handle, entry.name, in: directory, type: type)
        }
        let inode = nid ?? NodeID.inodeNumber(ofUpper: entry.inode)
        return ListedEntry(name: entry.name, inode: inode, type: type)
    }

    /// The inode number of the directory above.
    func parentInode(of id: NodeID) throws(Errno) -> UInt64 {
        if let node = table[id] {
            guard let parent = node.names.first?.parent else { return try status(of: id).inode }
            return parent.lower ?? NodeID.inodeNumber(ofUpper: parent.inode)
        }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        return try lower.node(nid).parent
    }
}
