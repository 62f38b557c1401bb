// Taking names away: from the sandbox by removing them, from the layers by whiteouts.

import Glibc
import LaminaCore
import LaminaSystem

extension Namespace {
    /// Removes a name of a file. Whoever has it open keeps it.
    mutating func removeFile(_ name: ByteString, in parent: NodeID) throws(Errno) {
        guard var entry = try lookup(name, in: parent) else { throw .noSuchFileOrDirectory }
        guard entry.status.type != .directory else { throw .isDirectory }
        if table[entry.id] == nil, entry.status.linkCount > 1 {
            // The other names must show one link fewer, which only a copy can say.
            entry.id = try copyUp(entry.id).id
        }
        let directory = try ensureDirectory(parent)
        let hide = try lowerHas(name, in: directory)
        guard let node = table[entry.id] else {
            try whiteOut(name, in: directory)
            return markGone(entry.id)
        }
        let isLast = entry.status.linkCount == 1
        try detach(node, from: name, in: directory, isLast: isLast) { (namespace) throws(Errno) in
            let upper = namespace.upper
            let whiteout = hide ? try upper.makeWhiteout() : nil
            try upper.withNewPlace(of: name, in: directory) { (parent, path) throws(Errno) in
                if let whiteout {
                    try upper.work.rename(whiteout, to: parent, path)
                } else {
                    try parent.removeFile(path)
                }
            }
        }
    }

    /// Removes an empty directory.
    mutating func removeDirectory(_ name: ByteString, in parent: NodeID) throws(Errno) {
        guard let entry = try lookup(name, in: parent) else { throw .noSuchFileOrDirectory }
        guard entry.status.type == .directory else { throw .notDirectory }
        let directory = try ensureDirectory(parent)
        let hide = try lowerHas(name, in: directory)
        if !hide, let node = table[entry.id], try removeEmpty(node, at: name, in: directory) { return }
        guard try isEmpty(entry.id) else { throw .directoryNotEmpty }
        guard let node = table[entry.id] else {
            try whiteOut(name, in: directory)
            return markGone(entry.id)
        }
        try detach(node, from: name, in: directory) { (namespace) throws(Errno) in
            try namespace.discardDirectory(name, in: directory, hide: hide)
        }
    }

    /// Removes a directory in one step where the layers have nothing in it and nothing at its name; false when
    /// it holds something, if only whiteouts.
    private mutating func removeEmpty(
        _ node: UpperNode, at name: ByteString, in directory: UpperNode
    ) throws(Errno) -> Bool {
        guard node.lower == nil else { return false }
        do throws(Errno) {
            try detach(node, from: name, in: directory) { (namespace) throws(Errno) in
                try namespace.upper.withPlace(of: name, in: directory) { (parent, path) throws(Errno) in
                    try parent.removeDirectory(path)
                }
            }
        } catch Errno.directoryNotEmpty {
            return false
        }
        return true
    }

    /// Hides what the layers have at `name`, where the sandbox has nothing.
    private func whiteOut(_ name: ByteString, in directory: UpperNode) throws(Errno) {
        try upper.withNewPlace(of: name, in: directory) { (parent, path) throws(Errno) in
            try parent.makeNode(path, mode: FileType.characterDevice.rawValue, device: .zero)
        }
    }

    /// Moves the sandbox's directory out of the tree in one step, then clears it away.
    private func discardDirectory(
        _ name: ByteString, in directory: UpperNode, hide: Bool
    ) throws(Errno) {
        let upper = self.upper
        let temporary = hide ? try upper.makeWhiteout() : upper.temporaryName()
        try upper.withNewPlace(of: name, in: directory) { (parent, path) throws(Errno) in
            if hide {
                try upper.work.rename(temporary, to: parent, path, flags: RenameFlag.exchange)
            } else {
                try parent.rename(path, to: upper.work, temporary)
            }
        }
        upper.sweep.remove(temporary)
    }

    /// Runs a change that takes `name` away from `node`, and keeps the node reachable when
    /// it was the last one known.
    /// - Parameter isLast: whether a file surely has no other name, known or not.
    mutating func detach(
        _ node: UpperNode, from name: ByteString, in directory: UpperNode, isLast: Bool = false,
        _ change: (borrowing Namespace) throws(Errno) -> Void
    ) throws(Errno) {
        let anchor = node.names.count <= 1 ? SharedDescriptor(try upper.open(node)) : nil
        try change(self)
        node.removeName(name, in: directory)
        guard let anchor else { return }
        node.anchor = anchor
        if node.type == .directory {
            upper.names.forget(node.id)
            table.removeInode(of: node)
        } else {
            let linkCount = isLast ? 0 : try anchor.descriptor.status().linkCount
            if linkCount == 0 { table.removeInode(of: node) }
        }
        // Lookups from before a copy-up were not counted: such a node waits for the kernel's forget.
        if node.lookups == 0, node.lower == nil { table.forget(node.id, count: 0) }
    }

    /// Whether the container sees nothing in a directory.
    func isEmpty(_ id: NodeID) throws(Errno) -> Bool {
        try entries(of: id).isEmpty
    }
}
