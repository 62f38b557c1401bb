// Listing directories by node alone: the kernel tells of no opening and no closing. A directory
// that only the layers know is listed from the chain image, any other from a snapshot of its entries.
//
// Invariant: a position keeps its meaning until the listing starts again, whatever is made or removed
// in between: the chain image never changes, and neither does a snapshot.

import LaminaCore
import LaminaSystem

extension Union {
    /// Calls `body` for each entry behind position `cookie` (0: the start), `.` and `..` too, until it
    /// answers false.
    public func forEachEntry(
        of id: NodeID, from cookie: UInt64,
        _ body: (_ name: Span<UInt8>, _ inode: UInt64, _ type: FileType?, _ next: UInt64) -> Bool
    ) throws(Errno) {
        guard let position = SnapshotPosition(cookie: cookie) else {
            // At the start it is the directory's state that decides, later what the position came from.
            if let nid = cookie == 0 ? untouched(id) : id.nid {
                return try lower.forEachEntry(of: nid, from: cookie, body)
            }
            let entries = try snapshot(of: id)
            return list(entries, SnapshotPosition(snapshots.insert(entries, of: id)), body)
        }
        if let entries = snapshots.entries(position.number, of: id) {
            return list(entries, position, body)
        }
        // Too old to be kept: as near as can be in what is there now.
        let entries = try snapshot(of: id)
        var place = SnapshotPosition(snapshots.insert(entries, of: id))
        place.index = position.index
        list(entries, place, body)
    }

    private func list(
        _ entries: [ListedEntry], _ position: SnapshotPosition,
        _ body: (_ name: Span<UInt8>, _ inode: UInt64, _ type: FileType?, _ next: UInt64) -> Bool
    ) {
        var place = position
        while place.index < entries.count {
            let entry = entries[place.index]
            place.index += 1
            guard entry.name.withSpan({ body($0, entry.inode, entry.type, place.cookie) }) else { return }
        }
        if position.index >= entries.count { snapshots.end(position.number) }
    }

    private func snapshot(of id: NodeID) throws(Errno) -> [ListedEntry] {
        if id.isRedirected { return try redirects.entries(of: id) }
        return try withNamespace { (namespace) throws(Errno) in
            let own = try namespace.status(of: id).inode
            let above = try namespace.parentInode(of: id)
            return [
                ListedEntry(name: ".", inode: own, type: .directory),
                ListedEntry(name: "..", inode: above, type: .directory),
            ] + (try namespace.entries(of: id))
        }
    }

    /// Makes a directory's entries durable.
    public func syncDirectory(_ id: NodeID) throws(Errno) {
        if id.isRedirected { return try redirects.syncDirectory(id) }
        guard !upper.isVolatile, untouched(id) == nil else { return }
        try withNamespace { (namespace) throws(Errno) in
            guard let node = namespace.table[id] else { return }
            try namespace.upper.open(node).openDirectory(".").sync()
        }
    }

    /// The node of an entry that a listing gave, counted as looked up; nil when the name went
    /// away since. Without a lock below a directory that the sandbox never touched.
    public func listedEntry(
        _ name: Span<UInt8>, inode: UInt64, in directory: NodeID
    ) throws(Errno) -> Entry? {
        let id = NodeID(rawValue: inode)
        if untouched(directory) != nil, let nid = untouched(id) {
            return named(Entry(id: id, status: try lower.status(nid)))
        }
        return try lookup(name, in: directory)
    }
}
