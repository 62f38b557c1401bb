// OpenDirectory owns one listing. A directory that only the layers know is listed from
// the chain image; any other from a copy of its entries taken when the listing (re)starts.
//
// Invariant: positions keep their meaning until the listing starts again, whatever is made
// or removed in between: the chain image never changes, and neither does a copy.

import LaminaCore
import LaminaSystem
import Synchronization

/// An open directory of a union.
public final class OpenDirectory: Sendable {
    private enum Listing {
        case notStarted
        case layers(nid: UInt64)
        case copy([ListedEntry])
    }

    public let id: NodeID
    private let union: Union
    private let listing = Mutex(Listing.notStarted)

    init(id: NodeID, union: Union) {
        self.id = id
        self.union = union
    }

    /// Calls `body` for each entry behind position `cookie` (0: the start), `.` and `..`
    /// too, until it answers false.
    public func forEachEntry(
        from cookie: UInt64,
        _ body: (_ name: Span<UInt8>, _ inode: UInt64, _ type: FileType?, _ next: UInt64) -> Bool
    ) throws(Errno) {
        switch try current(restart: cookie == 0) {
        case .notStarted: return
        case .layers(let nid): try union.lower.forEachEntry(of: nid, from: cookie, body)
        case .copy(let entries):
            guard let first = Int(exactly: cookie), first < entries.count else { return }
            for index in first..<entries.count {
                let entry = entries[index]
                let goOn = entry.name.withSpan { body($0, entry.inode, entry.type, UInt64(index) + 1) }
                if !goOn { return }
            }
        }
    }

    private func current(restart: Bool) throws(Errno) -> Listing {
        if !restart {
            let known = listing.withLock { $0 }
            if case .notStarted = known {} else { return known }
        }
        let fresh = try restart ? start() : resume()
        listing.withLock { $0 = fresh }
        return fresh
    }

    /// A listing that goes on where the layers alone answered, without this object, has their
    /// positions, whatever became of the directory since.
    private func resume() throws(Errno) -> Listing {
        guard let nid = id.nid else { return try start() }
        return .layers(nid: nid)
    }

    private func start() throws(Errno) -> Listing {
        if let nid = union.untouched(id) { return .layers(nid: nid) }
        let id = id
        return .copy(
            try union.withNamespace { (namespace) throws(Errno) in
                let own = try namespace.status(of: id).inode
                let above = try namespace.parentInode(of: id)
                return [
                    ListedEntry(name: ".", inode: own, type: .directory),
                    ListedEntry(name: "..", inode: above, type: .directory),
                ] + (try namespace.entries(of: id))
            })
    }

    /// Makes the directory's entries durable.
    public func sync() throws(Errno) {
        guard !union.upper.isVolatile, union.untouched(id) == nil else { return }
        let id = id
        try union.withNamespace { (namespace) throws(Errno) in
            guard let node = namespace.table[id] else { return }
            try namespace.upper.open(node).openDirectory(".").sync()
        }
    }
}

extension Union {
    /// Opens a directory for listing.
    public func openDirectory(_ id: NodeID) throws(Errno) -> OpenDirectory {
        OpenDirectory(id: id, union: self)
    }
}

extension Union {
    /// The node of an entry that a listing gave, counted as looked up; nil when the name went
    /// away since. Without a lock below a directory that the sandbox never touched.
    public func listedEntry(
        _ name: Span<UInt8>, inode: UInt64, in directory: NodeID
    ) throws(Errno) -> Entry? {
        let id = NodeID(rawValue: inode)
        if untouched(directory) != nil, let nid = untouched(id) {
            return Entry(id: id, status: try lower.status(nid))
        }
        return try lookup(name, in: directory)
    }
}
