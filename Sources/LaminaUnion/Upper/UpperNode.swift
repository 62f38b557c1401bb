// UpperNode owns what the union knows of one node that exists in the sandbox: where it
// is, and which lower node it continues. Guarded by the namespace's lock.

import LaminaCore
import LaminaSystem

/// A name in a directory of the sandbox.
struct UpperName {
    let parent: UpperNode
    var name: ByteString
}

/// A node of the sandbox.
final class UpperNode {
    /// The lower node's, or one that no lower node has; `NodeTable.renumber` changes the one to the other.
    var id: NodeID
    let type: FileType
    /// The inode in the upper filesystem; a file that lost its last name keeps it while
    /// `anchor` is open.
    let inode: UInt64
    /// For a directory: the lower directory merged with it. For others: what it was copied from.
    let lower: UInt64?
    /// Where a copied-up regular file's bytes are; nil when all are in the upper file.
    var data: UpperData?
    /// Known names; there may be more on disk that nobody looked up. Empty for the root
    /// and for a node that was removed.
    var names: [UpperName] = []
    /// Keeps a node reachable that has no known name.
    var anchor: SharedDescriptor?
    /// Lookups that the kernel has not forgotten.
    var lookups: UInt64 = 0
    /// The default ACL of a directory, remembered because every create asks.
    var inherited = InheritedList.unknown
    /// The group that a directory hands down, and whether it does; remembered likewise.
    var handsDown: (group: UInt32, isSetgid: Bool)?
    /// Whether it surely has no capability and no ACL: made in this mount, from nothing or
    /// from a lower node without xattrs, and never given one.
    var isPlain = false
    /// Whether the kernel still has an inode under the number from before `renumber`.
    var formerIsKnown = false
    /// Whether a program may write through a mapping that the kernel does not tell of.
    var mayBeMapped = false
    /// Nodes in the table that have a name in this directory.
    var children = 0

    init(id: NodeID, type: FileType, inode: UInt64, lower: UInt64?) {
        self.id = id
        self.type = type
        self.inode = inode
        self.lower = lower
    }

    /// Whether what stat shows must not be remembered: one inode in the kernel would not hear of
    /// changes through the other, and a mapping tells nobody.
    var isFleeting: Bool { formerIsKnown || mayBeMapped }

    /// Whether this node is no longer in the tree.
    var isRemoved: Bool { names.isEmpty && id != .root }

    /// An xattr changes, and with it perhaps an ACL, the mode and what is handed down.
    func forgetAttributes() {
        inherited = .unknown
        handsDown = nil
        isPlain = false
    }

    func addName(_ name: ByteString, in parent: UpperNode) {
        guard !names.contains(where: { $0.parent === parent && $0.name == name }) else { return }
        names.append(UpperName(parent: parent, name: name))
        parent.children += 1
        anchor = nil
    }

    func removeName(_ name: ByteString, in parent: UpperNode) {
        guard let index = names.firstIndex(where: { $0.parent === parent && $0.name == name }) else { return }
        names.remove(at: index)
        parent.children -= 1
    }
}
