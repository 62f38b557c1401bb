// LayerItems owns the way from a sandbox's changes to the entries of a tar.

import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem

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

    /// What says all of these changes. O(changes).
    static func items(for changes: [Change], of tree: SandboxTree) throws(LaminaError) -> [LayerItem] {
        var result = LayerItems(tree)
        for change in changes { try result.add(change) }
        return result.items
    }

    private mutating func add(_ change: Change) throws(LaminaError) {
        switch change.node {
        case .gone: items.append(LayerItem(entry: Self.whiteout(change.path)))
        case .lower(let nid): try addLower(nid, at: change.path)
        case .upper(let status, let merged, let details):
            try addUpper(status, merged, details, at: change.path)
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
        _ status: FileStatus, _ merged: UInt64?, _ details: UpperDetails?, at path: ByteString
    ) throws(LaminaError) {
        try LayerItem.checkName(path)
        let thing = ByteString("/") + path
        guard let type = status.type else { throw LaminaError(.failure, "\(thing)", "is of no known type") }
        let attributes = FileAttributes(
            type: type, permissions: status.mode & 0o7777, uid: status.uid, gid: status.gid,
            mtime: status.mtime, device: status.namedDevice)
        if type != .directory && status.linkCount > 1 {
            if let first = firstOfUpper[status.inode] {
                return items.append(.link(to: first, at: path, attributes))
            }
            firstOfUpper[status.inode] = path
        }
        let entry = TarEntry(
            path: path, kind: TarEntryKind(type, symlinkTarget: details?.symlinkTarget ?? ByteString()),
            attributes: attributes, extendedAttributes: details?.extendedAttributes ?? [])
        let content = LayerItem.Content.upper(path: path, merged: merged, details?.file)
        items.append(LayerItem(entry: entry, content: type == .regular ? content : .none))
    }

    private mutating func addLower(_ nid: UInt64, at path: ByteString) throws(LaminaError) {
        try LayerItem.checkName(path)
        let node = try tree.lower.node(nid)
        let attributes = FileAttributes(
            type: node.type, permissions: node.mode & 0o7777, uid: node.uid, gid: node.gid,
            mtime: node.mtime, device: node.device)
        if node.type != .directory && node.linkCount > 1 {
            if let first = firstOfLower[nid] { return items.append(.link(to: first, at: path, attributes)) }
            firstOfLower[nid] = path
        }
        let target = node.type == .symlink ? try tree.lower.symlinkTarget(nid) : ByteString()
        let entry = TarEntry(
            path: path, kind: TarEntryKind(node.type, symlinkTarget: target), attributes: attributes,
            extendedAttributes: try tree.lower.extendedAttributes(nid))
        items.append(LayerItem(entry: entry, content: node.type == .regular ? .lower(nid) : .none))
    }
}

extension SandboxTree: LayerFiles {
    func open(_ item: LayerItem) throws(LaminaError) -> LayerFile? {
        switch item.content {
        case .none, .host: nil
        case .upper(let path, let merged, let held):
            try LayerFile(upper: path, merged: merged, held: held, in: self)
        case .lower(let nid): try LayerFile(lower: nid, in: lower)
        }
    }
}
