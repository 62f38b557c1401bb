// The model of an image: layers laid over each other by the rules of OCI's layer.md.

import LaminaCore

extension Model {
    /// The tree of some layers, lowest first.
    public convenience init(_ layers: [GeneratedLayer]) {
        self.init()
        for layer in layers { apply(layer) }
        markHiddenLinks()
    }

    private func apply(_ layer: GeneratedLayer) {
        var made: [ByteString: ModelNode] = [ByteString(): root]
        for entry in layer.entries {
            let components = entry.path.components
            let parentPath = components.dropLast().reduce(ByteString()) { $0.appending($1) }
            guard let name = components.last else {
                setAttributes(of: root, entry)
                continue
            }
            guard let parent = made[parentPath] else { continue }
            let old = parent.entries[name]
            if case .whiteout = entry.kind {
                drop(old, name, parent)
                continue
            }
            if case .hardLink(let target) = entry.kind {
                drop(old, name, parent)
                guard let node = made[target] else { continue }
                node.links += 1
                parent.entries[name] = node
                made[entry.path] = node
                continue
            }
            made[entry.path] = place(entry, name, in: parent, over: old)
        }
    }

    private func place(
        _ entry: GeneratedEntry, _ name: ByteString, in parent: ModelNode, over old: ModelNode?
    ) -> ModelNode {
        if let old, old.isDirectory, entry.kind == .directory(opaque: false) {
            setAttributes(of: old, entry)
            return old
        }
        drop(old, name, parent)
        let node = ModelNode(
            id: nextID(), type: entry.type, permissions: 0, uid: 0, gid: 0, device: entry.device,
            isLower: true)
        if case .file(let bytes) = entry.kind {
            node.bytes = bytes
            node.isObject = bytes.count >= Limits.objectThreshold
        }
        if case .symlink(let target) = entry.kind { node.target = target }
        setAttributes(of: node, entry)
        if node.isDirectory { node.parent = parent }
        parent.entries[name] = node
        return node
    }

    private func setAttributes(of node: ModelNode, _ entry: GeneratedEntry) {
        node.permissions = entry.permissions
        node.uid = entry.uid
        node.gid = entry.gid
        node.time = .exactly(entry.time)
        node.attributes = [:]
        for attribute in entry.attributes { node.attributes[attribute.name] = attribute.value }
    }

    /// A layer above took a name, with everything below it.
    private func drop(_ node: ModelNode?, _ name: ByteString, _ parent: ModelNode) {
        guard let node else { return }
        parent.entries[name] = nil
        hide(node)
    }

    private func hide(_ node: ModelNode) {
        if node.isDirectory {
            for child in node.entries.values { hide(child) }
        } else {
            node.links -= 1
            node.hiddenLinks += 1
        }
    }

    /// Nothing to do for nodes without a name left: nobody finds them.
    private func markHiddenLinks() {
        for node in nodes().values where node.links == 0 { node.hiddenLinks = 0 }
    }
}
