// Two names change places: one rename(2) on disk, after which each hides under its new
// name whatever it hid under the old one, because both names still exist.

import Glibc
import LaminaCore
import LaminaSystem

extension Namespace {
    /// `RENAME_EXCHANGE` of two names, of any types.
    /// - Throws: `ENOENT` when one of them is missing; `EINVAL` when one is a directory
    ///   that the other lies in.
    mutating func exchange(
        _ name: ByteString, in parent: NodeID, with otherName: ByteString, in otherParent: NodeID
    ) throws(Errno) {
        guard let entry = try lookup(name, in: parent), let other = try lookup(otherName, in: otherParent)
        else { throw .noSuchFileOrDirectory }
        if entry.id == other.id { return }
        let node = try copyUp(entry.id)
        let otherNode = try copyUp(other.id)
        let directory = try ensureDirectory(parent)
        let otherDirectory = try ensureDirectory(otherParent)
        guard !otherDirectory.isInside(node), !directory.isInside(otherNode) else { throw .invalidArgument }
        try leaveOwnName(node)
        try leaveOwnName(otherNode)
        if node.type == .directory { try prepare(node, toBecome: otherName, in: otherDirectory) }
        if otherNode.type == .directory { try prepare(otherNode, toBecome: name, in: directory) }
        let upper = self.upper
        try upper.withNewPlace(of: name, in: directory) { (from, path) throws(Errno) in
            try upper.withNewPlace(of: otherName, in: otherDirectory) { (to, otherPath) throws(Errno) in
                try from.rename(path, to: to, otherPath, flags: RenameFlag.exchange)
            }
        }
        node.addName(otherName, in: otherDirectory)
        otherNode.addName(name, in: directory)
        node.removeName(name, in: directory)
        otherNode.removeName(otherName, in: otherDirectory)
    }
}

extension UpperNode {
    /// Whether this directory is `other` or lies in it.
    fileprivate func isInside(_ other: UpperNode) -> Bool {
        var current = self
        while current !== other {
            guard let parent = current.names.first?.parent else { return false }
            current = parent
        }
        return true
    }
}
