// Renaming. The sandbox's part is one rename(2); what the layers have under the old name
// is hidden in the same step.

import Glibc
import LaminaCore
import LaminaSystem

extension Namespace {
    /// Renames as `renameat2(2)`. `RENAME_WHITEOUT` is refused as on overlayfs: the container
    /// must not see whiteouts, much less make them.
    mutating func rename(
        _ name: ByteString, in parent: NodeID, to newName: ByteString, in newParent: NodeID, flags: UInt32
    ) throws(Errno) {
        if flags == RenameFlag.exchange {
            return try exchange(name, in: parent, with: newName, in: newParent)
        }
        guard flags & ~RenameFlag.noReplace == 0 else { throw .invalidArgument }
        guard let source = try lookup(name, in: parent) else { throw .noSuchFileOrDirectory }
        let target = try lookup(newName, in: newParent)
        if let target {
            if flags & RenameFlag.noReplace != 0 { throw .fileExists }
            if target.id == source.id { return }
            try checkReplacing(target, with: source)
        }
        let node = try copyUp(source.id)
        try leaveOwnName(node)
        let directory = try ensureDirectory(parent)
        let newDirectory = try ensureDirectory(newParent)
        if node.type == .directory { try prepare(node, toBecome: newName, in: newDirectory) }
        let hide = try lowerHas(name, in: directory)
        let old = Place(name: name, directory: directory)
        let new = Place(name: newName, directory: newDirectory)
        if let target {
            try replace(target, at: new) { (namespace) throws(Errno) in
                try namespace.move(from: old, to: new, isDirectory: node.type == .directory, hide: hide)
            }
        } else {
            try move(from: old, to: new, isDirectory: node.type == .directory, hide: hide)
        }
        node.addName(newName, in: newDirectory)
        node.removeName(name, in: directory)
    }

    private func checkReplacing(_ target: Entry, with source: Entry) throws(Errno) {
        if target.status.type == .directory {
            guard source.status.type == .directory else { throw .isDirectory }
            guard try isEmpty(target.id) else { throw .directoryNotEmpty }
        } else if source.status.type == .directory {
            throw .notDirectory
        }
    }

    /// Makes a directory independent of its name: a merged one says where its lower half
    /// is, another one that it has none. Both marks are as true under the old name.
    func prepare(
        _ node: UpperNode, toBecome name: ByteString, in directory: UpperNode
    ) throws(Errno) {
        let handle = try upper.open(node)
        if let nid = node.lower {
            let path = try lower.path(ofDirectory: nid)
            try path.withSpan { (bytes) throws(Errno) in
                try handle.setExtendedAttribute(upper.convention.redirect, bytes.raw)
            }
        } else if try lowerHas(name, in: directory) {
            try handle.setExtendedAttribute(upper.convention.opaque, [UInt8(ascii: "y")].raw)
        }
    }

    /// Runs a change that puts something in the place of `target`.
    private mutating func replace(
        _ target: Entry, at place: Place, _ change: (borrowing Namespace) throws(Errno) -> Void
    ) throws(Errno) {
        if table[target.id] == nil, target.status.type != .directory, target.status.linkCount > 1 {
            _ = try copyUp(target.id)
        }
        guard let node = table[target.id] else {
            try change(self)
            return markGone(target.id)
        }
        if node.type == .directory { try clearWhiteouts(of: node) }
        try detach(node, from: place.name, in: place.directory, change)
    }

    /// Empties an upper directory that shows nothing, so that rename(2) may replace it.
    /// Opaque first: its whiteouts must not uncover the layers on their way out.
    private func clearWhiteouts(of node: UpperNode) throws(Errno) {
        let handle = try upper.open(node)
        try handle.setExtendedAttribute(upper.convention.opaque, [UInt8(ascii: "y")].raw)
        try handle.reopen(O_RDONLY | O_DIRECTORY).removeContents()
    }

    /// The rename on disk. A directory cannot replace a whiteout, so it changes places with it.
    private func move(from old: Place, to new: Place, isDirectory: Bool, hide: Bool) throws(Errno) {
        let upper = self.upper
        let overWhiteout = try upper.status(of: new.name, in: new.directory)?.isWhiteout ?? false
        try upper.withNewPlace(of: old.name, in: old.directory) { (from, path) throws(Errno) in
            try upper.withNewPlace(of: new.name, in: new.directory) { (to, newPath) throws(Errno) in
                if isDirectory && overWhiteout {
                    try from.rename(path, to: to, newPath, flags: RenameFlag.exchange)
                    if !hide { try from.removeFile(path) }
                } else {
                    try from.rename(path, to: to, newPath, flags: hide ? RenameFlag.whiteout : 0)
                }
            }
        }
    }
}
