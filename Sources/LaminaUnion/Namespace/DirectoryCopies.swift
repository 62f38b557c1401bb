// Directories that come into the sandbox for something beneath them. Those that are missing on the way are
// made inside one another in `work` and appear by one rename, which only the directory that receives it notices.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

extension Namespace {
    /// A lower directory that the sandbox has not.
    struct Missing {
        let nid: UInt64
        let name: ByteString
    }

    /// Directories of one rename at most: each is held open meanwhile.
    private static let mostAtOnce = 12

    /// The sandbox's directory for `id`, made (with its parents) when only layers have it.
    /// - Throws: `ENOENT` when the directory is no longer in the tree.
    mutating func ensureDirectory(_ id: NodeID) throws(Errno) -> UpperNode {
        var missing: [Missing] = []
        var current = id
        var known = table[current]
        while known == nil {
            guard let nid = current.nid else { throw .staleNFSFileHandle }
            guard let place = try lower.names(of: nid, hardLinks: hardLinks).first,
                missing.count <= Limits.depth
            else { throw .ioError }
            missing.append(Missing(nid: nid, name: place.name))
            current = NodeID(rawValue: place.parent)
            known = table[current]
        }
        guard var node = known, !node.isRemoved else { throw .noSuchFileOrDirectory }
        while let next = missing.last {
            guard let status = try upper.status(of: next.name, in: node) else { break }
            guard status.type == .directory else { throw .noSuchFileOrDirectory }
            node = try attach(next.name, in: node, status: status)
            guard node.id == NodeID(rawValue: next.nid) else { throw .noSuchFileOrDirectory }
            missing.removeLast()
        }
        while !missing.isEmpty {
            let some = missing.suffix(Self.mostAtOnce)
            missing.removeLast(some.count)
            node = try copyUp(some.reversed(), to: node)
        }
        return node
    }

    /// Makes directories, each in the one before it, and the first in `parent`; gives the last.
    private mutating func copyUp(_ directories: [Missing], to parent: UpperNode) throws(Errno) -> UpperNode {
        guard let first = directories.first else { return parent }
        for (above, directory) in zip(directories, directories.dropFirst()) {
            upper.names.add(directory.name, in: NodeID(rawValue: above.nid))
        }
        let temporary = upper.temporaryName()
        let inodes: [UInt64]
        do throws(Errno) {
            inodes = try makeCopies(of: directories, at: temporary)
            try keepingTimes(of: parent) { (namespace) throws(Errno) in
                let upper = namespace.upper
                try upper.withNewPlace(of: first.name, in: parent) { (directory, path) throws(Errno) in
                    try upper.work.rename(temporary, to: directory, path)
                }
            }
        } catch {
            try? upper.work.removeTree(temporary)
            throw error
        }
        var node = parent
        for (directory, inode) in zip(directories, inodes) {
            upper.copiedUp(.metadata)
            node = adopt(directory.name, in: node, inode: inode, type: .directory, lower: directory.nid)
            upper.names.know(node.id)
            let id = node.id
            upper.parentCopied.withLock { $0?(id) }
        }
        return node
    }

    /// The copies in `work`, complete; their inode numbers.
    func makeCopies(of directories: [Missing], at temporary: ByteString) throws(Errno) -> [UInt64] {
        var inodes: [UInt64] = []
        var handles: [SharedDescriptor] = []
        var path = temporary
        for directory in directories {
            if !inodes.isEmpty { path = path.appending(directory.name) }
            let handle = try makeDirectory(of: directory.nid, at: path)
            inodes.append(try handle.status().inode)
            handles.append(SharedDescriptor(handle))
        }
        // Making one in it changed the time of the one before.
        for (directory, handle) in zip(directories, handles).reversed() {
            let mtime = try lower.node(directory.nid).mtime
            try handle.descriptor.setPathTimes(atime: .set(mtime), mtime: .set(mtime))
        }
        return inodes
    }

    private func makeDirectory(of nid: UInt64, at path: ByteString) throws(Errno) -> Descriptor {
        let node = try lower.node(nid)
        try upper.work.makeDirectory(path, permissions: upper.firstPermissions(node.mode & 0o777, .directory))
        let handle = try upper.work.openPath(path)
        try copyIdentity(of: nid, to: handle)
        return handle
    }

    /// A copy of a directory that is no longer in the tree; whoever has it open may still change it.
    mutating func copyUpRemovedDirectory(_ nid: UInt64) throws(Errno) -> UpperNode {
        let temporary = upper.temporaryName()
        let handle = try makeDirectory(of: nid, at: temporary)
        let mtime = try lower.node(nid).mtime
        try handle.setPathTimes(atime: .set(mtime), mtime: .set(mtime))
        try upper.work.removeDirectory(temporary)
        upper.copiedUp(.metadata)
        let node = table.insert(type: .directory, inode: try handle.status().inode, lower: nid)
        twins.insert(nid)
        node.anchor = SharedDescriptor(handle)
        table.removeInode(of: node)
        return node
    }
}
