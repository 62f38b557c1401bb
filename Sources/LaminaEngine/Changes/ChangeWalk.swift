// ChangeWalk owns the way through a sandbox's `upper` directory. Nothing of the image is read but the names
// that the sandbox has too, what it deleted with a whole directory, and, for a layer, what it moved.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

/// Finds every change of a sandbox.
struct ChangeWalk {
    private struct Directory {
        var path: ByteString
        /// The lower directory whose entries show in it.
        var merged: UInt64?
        /// The image's directory at this path, as far as a layer leaves it to be seen. It is `merged`, or nil.
        var image: UInt64?
    }

    private let tree: SandboxTree
    /// Whether all that a moved directory holds is listed, as a layer needs it.
    private let expandsMoved: Bool
    private var pending: [Directory] = []
    private var moved: [(path: ByteString, nid: UInt64)] = []
    private var changes: [Change] = []

    private init(_ tree: SandboxTree, expandsMoved: Bool) {
        self.tree = tree
        self.expandsMoved = expandsMoved
    }

    /// All changes by path, parents first. O(entries of `upper`), with `expandsMoved` and those of lower
    /// directories that were moved.
    ///
    /// - Parameter expandsMoved: for a layer. Otherwise a moved directory is one change, and names of the
    ///   image that a new directory hides are changes too.
    static func changes(of tree: SandboxTree, expandsMoved: Bool) throws(LaminaError) -> [Change] {
        var walk = ChangeWalk(tree, expandsMoved: expandsMoved)
        let (status, same) = try Self.compare(tree, path: ByteString(), with: Tree.root)
        try walk.addRoot(status, image: Tree.root, isUnchanged: same)
        return try walk.finish()
    }

    /// Every node that a container sees, by path, as if there were no image beneath. O(nodes of the tree).
    static func everything(of tree: SandboxTree) throws(LaminaError) -> [Change] {
        var walk = ChangeWalk(tree, expandsMoved: true)
        let (status, _) = try Self.compare(tree, path: ByteString(), with: Tree.root)
        try walk.addRoot(status, image: nil, isUnchanged: false)
        return try walk.finish()
    }

    private mutating func finish() throws(LaminaError) -> [Change] {
        while let directory = pending.popLast() { try visit(directory) }
        while let place = moved.popLast() { try visit(moved: place.nid, at: place.path) }
        return sorted()
    }

    private mutating func add(_ change: Change) throws(LaminaError) {
        guard changes.count < Limits.entriesPerLayer else {
            throw LaminaError(.failure, "sandbox", "has more than \(Limits.entriesPerLayer) changes")
        }
        changes.append(change)
    }

    private mutating func addRoot(
        _ status: FileStatus, image: UInt64?, isUnchanged: Bool
    ) throws(LaminaError) {
        try add(
            Change(
                path: ByteString(), node: .upper(status, merged: nil), kind: .changed,
                isUnchanged: isUnchanged))
        pending.append(Directory(path: ByteString(), merged: Tree.root, image: image))
    }

    private mutating func visit(_ directory: Directory) throws(LaminaError) {
        let thing = ByteString("/") + directory.path
        let names = try Engine.system(thing) { () throws(Errno) in
            try tree.open(directory.path, O_RDONLY | O_DIRECTORY).entries().map(\.name)
        }
        for name in names { try visit(name, in: directory) }
        guard let merged = directory.merged, directory.image == nil, expandsMoved else { return }
        let own = Set(names)
        for entry in try tree.lower.entries(of: merged) where !own.contains(entry.name) {
            moved.append((directory.path.appending(entry.name), entry.nid))
        }
    }

    private mutating func visit(_ name: ByteString, in directory: Directory) throws(LaminaError) {
        let path = directory.path.appending(name)
        guard path.count <= Limits.pathLength else {
            throw LaminaError(.failure, "/\(path)", "is too long a path for a layer")
        }
        let handle = try Engine.system(ByteString("/") + path) { () throws(Errno) in try tree.openPath(path) }
        let status = try Engine.system(ByteString("/") + path) { () throws(Errno) in
            try tree.status(of: handle)
        }
        let known = try directory.image.flatMap { image throws(LaminaError) in
            try tree.lower.lookup(name, in: image)
        }
        if status.isWhiteout {
            if known != nil { try add(Change(path: path, node: .gone, kind: .deleted)) }
            return
        }
        let kind = known == nil ? SandboxChange.Kind.added : .changed
        guard status.type == .directory else {
            // A socket means nothing without its process, and no tar holds one.
            if status.type == .socket { return }
            return try add(
                Change(path: path, node: .upper(status, merged: directory.merged), kind: kind))
        }
        let merged = try tree.merged(with: handle, name, parent: directory.merged, path: path)
        let image = try tree.lower.directory(name, in: directory.image)
        let isSame = merged != nil && merged == image
        try add(
            Change(
                path: path, node: .upper(status, merged: directory.merged), kind: kind,
                isOpaque: image != nil && !isSame,
                isUnchanged: isSame ? try Self.compare(tree, path: path, with: image ?? 0).same : false))
        pending.append(Directory(path: path, merged: merged, image: isSame ? image : nil))
        if let image, !isSame, !expandsMoved { try addHidden(image, path) }
    }

    /// What the image has in a directory that the sandbox made anew.
    private mutating func addHidden(_ image: UInt64, _ path: ByteString) throws(LaminaError) {
        for entry in try tree.lower.entries(of: image) {
            let path = path.appending(entry.name)
            let isThere = (try? tree.openPath(path)) != nil
            if !isThere { try add(Change(path: path, node: .gone, kind: .deleted)) }
        }
    }

    private mutating func visit(moved nid: UInt64, at path: ByteString) throws(LaminaError) {
        guard path.count <= Limits.pathLength else {
            throw LaminaError(.failure, "/\(path)", "is too long a path for a layer")
        }
        let node = try tree.lower.node(nid)
        if node.type == .socket { return }
        try add(Change(path: path, node: .lower(nid), kind: .added))
        guard node.type == .directory else { return }
        for entry in try tree.lower.entries(of: nid) { moved.append((path.appending(entry.name), entry.nid)) }
    }

    /// The status of a directory of `upper`, and whether it is as the lower one.
    private static func compare(
        _ tree: SandboxTree, path: ByteString, with nid: UInt64
    ) throws(LaminaError) -> (status: FileStatus, same: Bool) {
        let thing = ByteString("/") + path
        let (status, attributes) = try Engine.system(thing) { () throws(Errno) in
            let handle = try tree.openPath(path)
            return (try tree.status(of: handle), try tree.extendedAttributes(of: handle))
        }
        let node = try tree.lower.node(nid)
        let same =
            status.mode == node.mode && status.uid == node.uid && status.gid == node.gid
            && status.mtime == node.mtime
        guard same else { return (status, false) }
        return (status, try tree.lower.extendedAttributes(nid) == attributes)
    }

    /// By path, without directories of which nothing changed, neither they nor what is beneath.
    private func sorted() -> [Change] {
        var needed: Set<ByteString> = []
        var result: [Change] = []
        for change in changes.sorted(by: { $0.path > $1.path }) {
            let hasChange = needed.remove(change.path) != nil
            if change.isUnchanged && !hasChange { continue }
            result.append(change)
            if !change.path.isEmpty {
                needed.insert(change.path.components.dropLast().reduce(ByteString()) { $0.appending($1) })
            }
        }
        return result.reversed()
    }
}
