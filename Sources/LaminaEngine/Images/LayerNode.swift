// LayerNode is what a layer's own tree has at one path, markers of deletion among them.

import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem

/// One path of a layer.
public struct LayerNode: Sendable, Hashable {
    /// Below the layer's root, empty for the root itself. A whiteout stands under its marker's name, `.wh.NAME`.
    public var path: ByteString
    public var type: FileType
    /// The low twelve bits of `st_mode`.
    public var permissions: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// Bytes; of a symlink its target's.
    public var size: UInt64
    public var mtime: Timestamp
    /// Of a symlink.
    public var target: ByteString?
    /// Of a device.
    public var device: DeviceNumber
    /// Names of the file in this layer.
    public var linkCount: UInt32
    /// Whether this hides something of lower layers, and is nothing itself.
    public var isMarker = false
}

extension Engine {
    /// The paths of a layer, by path. O(nodes of the layer).
    public func files(of diffID: Digest) throws(LaminaError) -> [LayerNode] {
        // Keeps a prune from the layer.
        let lease = try lease()
        let tree = try layerTree(diffID)
        var nodes: [LayerNode] = []
        try Self.indexing("index of layer \(diffID)") { () throws(IndexError) in
            var pending: [(path: ByteString, nid: UInt64)] = [(ByteString(), Tree.root)]
            while let (path, nid) = pending.popLast() {
                let node = try tree.node(nid)
                nodes.append(try Self.layerNode(tree, node, path))
                guard node.type == .directory else { continue }
                if try tree.isOpaque(nid) { nodes.append(Self.marker(path.appending(Whiteout.opaqueMarker))) }
                try tree.forEachEntry(of: nid, from: 0) { name, child, _, _ in
                    let name = ByteString(name)
                    if name != "." && name != ".." { pending.append((path.appending(name), child)) }
                    return true
                }
            }
        }
        _ = consume lease
        return nodes.sorted { $0.path < $1.path }
    }

    private static func layerNode(
        _ tree: borrowing Tree, _ node: TreeNode, _ path: ByteString
    ) throws(IndexError) -> LayerNode {
        if node.isWhiteout {
            let parts = path.components
            let parent = parts.dropLast().reduce(ByteString()) { $0.appending($1) }
            return marker(parent.appending(Whiteout.prefix + (parts.last ?? ByteString())))
        }
        return LayerNode(
            path: path, type: node.type, permissions: node.mode & 0o7777, uid: node.uid, gid: node.gid,
            size: node.type == .directory ? 0 : node.size, mtime: node.mtime,
            target: node.type == .symlink ? try tree.symlinkTarget(node.nid) : nil, device: node.device,
            linkCount: node.linkCount)
    }

    private static func marker(_ path: ByteString) -> LayerNode {
        LayerNode(
            path: path, type: .regular, permissions: 0, uid: 0, gid: 0, size: 0, mtime: Timestamp(seconds: 0),
            device: .zero, linkCount: 1, isMarker: true)
    }
}
