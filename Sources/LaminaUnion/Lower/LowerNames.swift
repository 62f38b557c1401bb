// Finding the names of a lower node: what copy-up needs and a node id does not say.

import LaminaCore
import LaminaIndex
import Synchronization

/// A name of a lower node.
struct LowerName {
    var parent: UInt64
    var name: ByteString
}

extension LowerTree {
    /// All names of `nid` in the lower tree. One name costs a scan of its directory;
    /// a node with several costs, the first time, a scan of the tree.
    func names(of nid: UInt64, hardLinks: borrowing HardLinkNames) throws(Errno) -> [LowerName] {
        let node = try node(nid)
        guard FileType(mode: node.mode) != .directory, node.linkCount > 1 else {
            return try names(of: nid, in: node.parent)
        }
        var names: [LowerName] = []
        for parent in try hardLinks.parents(of: nid, in: self) {
            names += try self.names(of: nid, in: parent)
        }
        return names
    }

    private func names(of nid: UInt64, in parent: UInt64) throws(Errno) -> [LowerName] {
        var names: [LowerName] = []
        try forEachEntry(of: parent, from: 0) { name, child, _, _ in
            if child == nid {
                let name = ByteString(name)
                if name != "." && name != ".." { names.append(LowerName(parent: parent, name: name)) }
            }
            return true
        }
        return names
    }

    /// The path of a lower directory from the root, `/` for the root itself.
    func path(ofDirectory nid: UInt64) throws(Errno) -> ByteString {
        var components: [ByteString] = []
        var current = nid
        while current != Tree.root {
            guard components.count < Limits.depth else { throw .ioError }
            let parent = try node(current).parent
            guard let name = try names(of: current, in: parent).first else { throw .ioError }
            components.append(name.name)
            current = parent
        }
        return components.reversed().reduce("/") { $0.appending($1) }
    }

    /// The path of a lower node's first name.
    func path(of nid: UInt64) throws(Errno) -> ByteString {
        let node = try node(nid)
        if FileType(mode: node.mode) == .directory { return try path(ofDirectory: nid) }
        guard let name = try names(of: nid, in: node.parent).first else { throw .ioError }
        return try path(ofDirectory: node.parent).appending(name.name)
    }

    /// The node at `path` from the root; nil when there is none.
    func node(atPath path: ByteString) throws(Errno) -> UInt64? {
        var current = Tree.root
        for component in path.components {
            guard FileType(mode: try node(current).mode) == .directory,
                let next = try lookup(component, in: current)
            else { return nil }
            current = next
        }
        return current
    }

    /// The directory at `path` from the root; nil when there is none.
    func directory(atPath path: ByteString) throws(Errno) -> UInt64? {
        guard let nid = try node(atPath: path) else { return nil }
        return FileType(mode: try node(nid).mode) == .directory ? nid : nil
    }
}

/// The directories that hold names of hard-linked lower files, found in one scan of the
/// tree when first asked for.
struct HardLinkNames: ~Copyable {
    private let parents = Mutex<[UInt64: [UInt64]]?>(nil)

    /// The directories with a name of `nid`, each once. O(nodes of the tree) the first time.
    func parents(of nid: UInt64, in lower: LowerTree) throws(Errno) -> [UInt64] {
        if let known = parents.withLock({ $0 }) { return known[nid] ?? [] }
        let found = try Self.scan(lower)
        parents.withLock { $0 = found }
        return found[nid] ?? []
    }

    private static func scan(_ lower: LowerTree) throws(Errno) -> [UInt64: [UInt64]] {
        var result: [UInt64: [UInt64]] = [:]
        var pending = [Tree.root]
        while let directory = pending.popLast() {
            for entry in try lower.entries(of: directory) {
                if entry.type == .directory {
                    pending.append(entry.nid)
                } else if try lower.node(entry.nid).linkCount > 1 {
                    if result[entry.nid]?.last != directory {
                        result[entry.nid, default: []].append(directory)
                    }
                }
            }
        }
        return result
    }
}
