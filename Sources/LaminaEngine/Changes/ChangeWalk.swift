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

    enum Purpose {
        /// A moved directory is one change, and names of the image that a new directory hides are changes too.
        case names
        /// All that a layer over the image has to say, also what a moved directory holds.
        case layer
        /// Every node that a container sees, as if there were no image beneath.
        case everything
    }

    private let tree: SandboxTree
    private let purpose: Purpose
    private var held: HeldFiles?
    private var pending: [Directory] = []
    private var moved: [(path: ByteString, nid: UInt64)] = []
    private var changes: [Change] = []

    /// Whether all that a moved directory holds is listed.
    private var expandsMoved: Bool { purpose != .names }

    /// Goes through all of `upper`, which nobody may change meanwhile. O(entries of `upper`).
    ///
    /// - Parameter held: where regular files are held that others change afterwards.
    init(_ tree: SandboxTree, _ purpose: Purpose, holding held: HeldFiles? = nil) throws(LaminaError) {
        self.tree = tree
        self.purpose = purpose
        self.held = held
        let isLayer = purpose != .everything
        let root = try Engine.system("/") { () throws(Errno) in try tree.openPath(ByteString()) }
        let status = try Engine.system("/") { () throws(Errno) in try tree.status(of: root) }
        let (isSame, details) = try compare(root, status, ByteString(), with: Tree.root)
        try add(
            Change(
                path: ByteString(), node: .upper(status, merged: nil, details), kind: .changed,
                isUnchanged: isLayer && isSame))
        pending.append(Directory(path: ByteString(), merged: Tree.root, image: isLayer ? Tree.root : nil))
        while let directory = pending.popLast() { try visit(directory) }
    }

    /// All changes by path, parents first. Of the sandbox nothing is read any more. O(changes), and nodes of lower
    /// directories that were moved.
    consuming func finish() throws(LaminaError) -> [Change] {
        while let place = moved.popLast() { try visit(moved: place.nid, at: place.path) }
        return sorted()
    }

    private mutating func add(_ change: Change) throws(LaminaError) {
        guard changes.count < Limits.entriesPerLayer else {
            throw LaminaError(.failure, "sandbox", "has more than \(Limits.entriesPerLayer) changes")
        }
        changes.append(change)
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
            let details = try details(of: handle, status, path)
            return try add(
                Change(path: path, node: .upper(status, merged: directory.merged, details), kind: kind))
        }
        let merged = try tree.merged(with: handle, name, parent: directory.merged, path: path)
        let image = try tree.lower.directory(name, in: directory.image)
        let isSame = merged != nil && merged == image
        let (isUnchanged, details) = try compare(handle, status, path, with: isSame ? image : nil)
        try add(
            Change(
                path: path, node: .upper(status, merged: directory.merged, details), kind: kind,
                isOpaque: image != nil && !isSame, isUnchanged: isUnchanged))
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

    /// What a layer says of a node that is no directory; nil where only names are wanted.
    private mutating func details(
        of handle: borrowing Descriptor, _ status: FileStatus, _ path: ByteString
    ) throws(LaminaError) -> UpperDetails? {
        guard expandsMoved else { return nil }
        do throws(Errno) {
            return UpperDetails(
                symlinkTarget: status.type == .symlink ? try handle.readLink("") : ByteString(),
                extendedAttributes: try tree.extendedAttributes(of: handle),
                file: status.type == .regular ? try held?.hold(handle) : nil)
        } catch {
            throw LaminaError(ByteString("/") + path, error)
        }
    }

    /// Whether a directory is as the lower one, if there is one, and what a layer says of it.
    private func compare(
        _ handle: borrowing Descriptor, _ status: FileStatus, _ path: ByteString, with nid: UInt64?
    ) throws(LaminaError) -> (same: Bool, UpperDetails) {
        let attributes: [ExtendedAttribute]
        do throws(Errno) {
            attributes = try tree.extendedAttributes(of: handle)
        } catch {
            throw LaminaError(ByteString("/") + path, error)
        }
        let isSame = try nid.map { nid throws(LaminaError) in
            try tree.lower.isDirectory(nid, as: status, attributes)
        }
        return (isSame ?? false, UpperDetails(extendedAttributes: attributes))
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
