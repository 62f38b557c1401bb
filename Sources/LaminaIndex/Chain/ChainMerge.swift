// ChainMerge owns the merged tree of a chain of layers while it grows, from the root
// down. A directory is read once in each layer that adds to it.

import LaminaCore
import LaminaSystem

/// Merges layers into the one tree that a container sees.
///
/// The rules are those of the OCI image specification (`layer.md`, "Applying Changesets")
/// in overlayfs's order: the highest layer that has a name decides; a directory over
/// directories merges with them down to the first that is opaque, hidden or no directory.
/// The result has no whiteouts and no opaque marks. A directory's attributes are those of
/// the highest layer that names it. A hard link group loses the names that higher layers
/// replace and keeps the rest.
public struct ChainMerge: ~Copyable {
    let layers: [SharedTree]
    /// Of each layer, the slots before its own.
    let slotBases: [Int]
    let devices: [TreeDevice]
    var table = NodeTable()
    /// Of each node, the inode it was copied from.
    var origins: [Origin] = []
    /// Nodes of inodes with several names.
    private var shared: [Origin: Int] = [:]
    /// Directories of layers that were read, to refuse a damaged tree that has a loop.
    private var visited: Set<Origin> = []
    /// Hard links whose target is looked for when the rest is there.
    var unresolved: [UnresolvedLink] = []
    private var pending: [PendingDirectory] = []

    private struct PendingDirectory {
        var node: Int
        var sources: [Origin]
    }

    private init(_ layers: [SharedTree]) throws(IndexError) {
        guard !layers.isEmpty else { throw .layerCount(0) }
        var bases: [Int] = []
        var devices: [TreeDevice] = []
        for layer in layers {
            bases.append(devices.count)
            devices += layer.tree.devices
        }
        guard devices.count <= Limits.layersPerImage else { throw .layerCount(devices.count) }
        self.layers = layers
        self.slotBases = bases
        self.devices = devices
    }

    /// Writes the merged tree of `layers`, lowest first, to `file` and returns its size in
    /// bytes. The caller makes it durable.
    ///
    /// With `top` the tree begins at that directory; where there is none, at the root.
    ///
    /// The device table has the slots of all layers in this order. A chain's own index may
    /// stand for its layers, as the lowest.
    ///
    /// - Throws: `IndexError`; `.missingLinkTarget` for a hard link to nothing.
    /// - Complexity: O(n log k) for n nodes of k layers.
    @discardableResult
    public static func write(
        _ layers: [SharedTree], from top: ByteString = ByteString(), to file: borrowing Descriptor
    ) throws(IndexError) -> Int {
        var merge = try ChainMerge(layers)
        try merge.run(from: top)
        return try IndexWriter.write(merge.table, devices: merge.devices, to: file)
    }

    private mutating func run(from top: ByteString) throws(IndexError) {
        var start = try find(top, below: layers.count)
        if case .directory = start {} else { start = try root(below: layers.count) }
        guard case .directory(let sources, let attributes) = start else { return }
        _ = try addDirectory(sources: sources, attributes: attributes)
        while let next = pending.popLast() { try mergeDirectory(next) }
        try resolveLinks()
    }

    private mutating func mergeDirectory(_ directory: PendingDirectory) throws(IndexError) {
        var candidates = try CandidateList(directory.sources, of: layers, &table)
        candidates.mergeRuns(table)
        let first = table.entries.count
        var start = 0
        while start < candidates.all.count {
            let end = candidates.endOfGroup(start, table)
            try addEntry(candidates.all[start..<end])
            start = end
        }
        table.nodes[directory.node].content = .directory(first: first, count: table.entries.count - first)
    }

    /// Adds what all layers together make of one name.
    private mutating func addEntry(_ group: ArraySlice<Candidate>) throws(IndexError) {
        guard let top = group.last else { return }
        let name = top.name
        switch try resolve(group) {
        case .nothing: return
        case .directory(let sources, let attributes):
            let node = try addDirectory(sources: sources, attributes: attributes)
            table.entries.append(Entry(name: name, node: node))
        case .leaf(let origin):
            // A whiteout must not hide behind another type.
            guard try layers[origin.layer].tree.inode(UInt64(origin.nid)).type == top.type else {
                throw .damaged("an entry's type is not its inode's", at: UInt64(origin.nid))
            }
            if let target = try linkTarget(origin) {
                unresolved.append(
                    UnresolvedLink(entry: table.entries.count, layer: origin.layer, target: target))
                table.entries.append(Entry(name: name, node: 0))
            } else {
                table.entries.append(Entry(name: name, node: try addLeaf(origin)))
            }
        }
    }

    private mutating func addDirectory(
        sources: [Origin], attributes: Origin?
    ) throws(IndexError) -> Int {
        for source in sources {
            guard visited.insert(source).inserted else {
                throw .damaged("a directory has two names", at: UInt64(source.nid))
            }
        }
        let content = NodeContent.directory(first: 0, count: 0)
        if let attributes {
            let node = try layers[attributes.layer].tree.node(UInt64(attributes.nid))
            guard node.type == .directory else { throw .notADirectory(node.nid) }
            let extended = try layers[attributes.layer].tree.copyAttributes(
                of: node.nid, to: &table, withoutMarks: true)
            table.nodes.append(Node(node, content: content, extended: extended))
        } else {
            table.nodes.append(Node(LayerTree.impliedDirectory, content: content))
        }
        origins.append(attributes ?? Origin(layer: 0, nid: 0))
        pending.append(PendingDirectory(node: table.nodes.count - 1, sources: sources))
        return table.nodes.count - 1
    }

    /// The node of an inode that is no directory, added when it is not there yet.
    mutating func addLeaf(_ origin: Origin) throws(IndexError) -> Int {
        let node = try layers[origin.layer].tree.node(UInt64(origin.nid))
        if node.linkCount > 1, let known = shared[origin] { return known }
        let content = try copyContent(node, origin)
        let extended = try layers[origin.layer].tree.copyAttributes(
            of: node.nid, to: &table, withoutMarks: false)
        table.nodes.append(Node(node, content: content, extended: extended))
        origins.append(origin)
        let number = table.nodes.count - 1
        if node.linkCount > 1 { shared[origin] = number }
        return number
    }

    private mutating func copyContent(_ node: TreeNode, _ origin: Origin) throws(IndexError) -> NodeContent {
        let layer = layers[origin.layer]
        switch node.type {
        case .regular:
            switch try layer.tree.content(node.nid) {
            case .empty: return .empty
            case .object(_, let length): return .object(size: length)
            case .stream(let device, let offset, let length):
                // At most `layersPerImage` slots and a 32-bit block, as `content` checked.
                return .stream(
                    slot: UInt16(slotBases[origin.layer] + device + 1),
                    block: UInt32(truncatingIfNeeded: offset / UInt64(Erofs.blockSize)), size: length)
            }
        case .symlink: return .symlink(try layer.tree.copyTarget(of: node.nid, to: &table))
        case .characterDevice, .blockDevice:
            guard let encoded = node.device.encoded else { throw .damaged("device number", at: node.nid) }
            return .device(encoded)
        case .fifo, .socket: return .empty
        case .directory: throw .damaged("an entry's type is not its inode's", at: node.nid)
        }
    }
}
