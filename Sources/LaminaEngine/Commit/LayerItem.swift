// LayerItem is one entry of a layer that is being made, and where its bytes come from.

import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem

/// An entry and its bytes.
struct LayerItem: Sendable {
    enum Content: Sendable {
        case none
        /// A file at a path of `upper`; `merged` as in `Change`.
        case upper(path: ByteString, merged: UInt64?)
        case lower(UInt64)
    }

    /// Of a file, its size is set when it is opened.
    var entry: TarEntry
    var content: Content = .none
}

/// The entries of a layer in the order of its tar, which the changes decide alone.
struct LayerItems {
    private let tree: SandboxTree
    /// The first path of each node with several names: of `upper` by inode, of the layers by nid.
    private var firstOfUpper: [UInt64: ByteString] = [:]
    private var firstOfLower: [UInt64: ByteString] = [:]
    private var items: [LayerItem] = []

    private init(_ tree: SandboxTree) {
        self.tree = tree
    }

    /// What a layer over the image needs to say all that the sandbox changed. O(changes).
    static func items(of tree: SandboxTree) throws(LaminaError) -> [LayerItem] {
        var result = LayerItems(tree)
        for change in try ChangeWalk.changes(of: tree, expandsMoved: true) { try result.add(change) }
        return result.items
    }

    private mutating func add(_ change: Change) throws(LaminaError) {
        switch change.node {
        case .gone: items.append(LayerItem(entry: Self.whiteout(change.path)))
        case .lower(let nid): try addLower(nid, at: change.path)
        case .upper(let status, let merged): try addUpper(status, merged, at: change.path)
        }
        if change.isOpaque {
            items.append(LayerItem(entry: Self.marker(change.path.appending(Whiteout.opaqueMarker))))
        }
    }

    /// `.wh.NAME` beside where NAME was. Names and nothing else: a whiteout has no owner and no time.
    private static func whiteout(_ path: ByteString) -> TarEntry {
        let parts = path.components
        let parent = parts.dropLast().reduce(ByteString()) { $0.appending($1) }
        return marker(parent.appending(Whiteout.prefix + (parts.last ?? ByteString())))
    }

    private static func marker(_ path: ByteString) -> TarEntry {
        TarEntry(path: path, kind: .file, attributes: FileAttributes(type: .regular, permissions: 0))
    }

    private mutating func addUpper(
        _ status: FileStatus, _ merged: UInt64?, at path: ByteString
    ) throws(LaminaError) {
        let thing = ByteString("/") + path
        guard let type = status.type else { throw LaminaError(.failure, "\(thing)", "is of no known type") }
        let attributes = FileAttributes(
            type: type, permissions: status.mode & 0o7777, uid: status.uid, gid: status.gid,
            mtime: status.mtime, device: status.namedDevice)
        if type != .directory && status.linkCount > 1 {
            if let first = firstOfUpper[status.inode] { return addLink(to: first, at: path, attributes) }
            firstOfUpper[status.inode] = path
        }
        let (target, extended) = try Engine.system(thing) { () throws(Errno) in
            let handle = try tree.openPath(path)
            return (
                type == .symlink ? try handle.readLink("") : ByteString(),
                try tree.extendedAttributes(of: handle)
            )
        }
        let entry = TarEntry(
            path: path, kind: Self.kind(type, target), attributes: attributes, extendedAttributes: extended)
        items.append(
            LayerItem(entry: entry, content: type == .regular ? .upper(path: path, merged: merged) : .none))
    }

    private mutating func addLower(_ nid: UInt64, at path: ByteString) throws(LaminaError) {
        let node = try tree.lower.node(nid)
        let attributes = FileAttributes(
            type: node.type, permissions: node.mode & 0o7777, uid: node.uid, gid: node.gid,
            mtime: node.mtime, device: node.device)
        if node.type != .directory && node.linkCount > 1 {
            if let first = firstOfLower[nid] { return addLink(to: first, at: path, attributes) }
            firstOfLower[nid] = path
        }
        let target = node.type == .symlink ? try tree.lower.symlinkTarget(nid) : ByteString()
        let entry = TarEntry(
            path: path, kind: Self.kind(node.type, target), attributes: attributes,
            extendedAttributes: try tree.lower.extendedAttributes(nid))
        items.append(LayerItem(entry: entry, content: node.type == .regular ? .lower(nid) : .none))
    }

    private mutating func addLink(to first: ByteString, at path: ByteString, _ attributes: FileAttributes) {
        var attributes = attributes
        attributes.type = .regular
        attributes.device = .zero
        items.append(
            LayerItem(entry: TarEntry(path: path, kind: .hardLink(target: first), attributes: attributes)))
    }

    private static func kind(_ type: FileType, _ target: ByteString) -> TarEntryKind {
        switch type {
        case .directory: .directory
        case .symlink: .symlink(target: target)
        case .characterDevice, .blockDevice: .device
        case .fifo: .fifo
        case .regular, .socket: .file
        }
    }
}
