// What the layers together make of one name, and hard links that cross layers.

import LaminaCore

/// The meaning of a name in a chain.
enum Resolution {
    case nothing
    case leaf(Origin)
    /// The directories that together are this one, lowest layer first, and the one whose
    /// attributes count; nil when no layer names it.
    case directory(sources: [Origin], attributes: Origin?)
}

/// A hard link that leads below its own layer.
struct UnresolvedLink {
    var entry: Int
    var layer: Int
    var target: ByteString
}

extension ChainMerge {
    /// What the entries of one name, lowest layer first, mean together.
    borrowing func resolve(_ group: ArraySlice<Candidate>) throws(IndexError) -> Resolution {
        guard let top = group.last else { return .nothing }
        if top.type != .directory { return try isWhiteout(top) ? .nothing : .leaf(top.origin) }
        if group.count == 1, try !hasAttributes(top.origin) {
            return .directory(sources: [top.origin], attributes: top.origin)
        }
        var sources: [Origin] = []
        var attributes: Origin?
        // Below an opaque directory that no layer has named yet, only attributes count.
        var takesEntries = true
        for candidate in group.reversed() {
            guard candidate.type == .directory, takesEntries || attributes == nil else { break }
            let marks = try marks(of: candidate.origin)
            if takesEntries { sources.append(candidate.origin) }
            if attributes == nil, !marks.contains(.implied) { attributes = candidate.origin }
            if marks.contains(.opaque) {
                takesEntries = false
                // Hidden as a whole and made anew, or named by the same layer.
                if !marks.contains(.implied) { break }
            }
        }
        return .directory(sources: sources.reversed(), attributes: attributes)
    }

    /// The root as the layers below number `count` make it.
    borrowing func root(below count: Int) throws(IndexError) -> Resolution {
        let nid = UInt32(truncatingIfNeeded: Tree.root)
        let group = (0..<count).map {
            Candidate(name: .dot, origin: Origin(layer: $0, nid: nid), type: .directory)
        }
        return try resolve(group[...])
    }

    /// What `path` means in the layers below number `count`.
    borrowing func find(_ path: ByteString, below count: Int) throws(IndexError) -> Resolution {
        var current = try root(below: count)
        for component in path.components {
            guard case .directory(let sources, _) = current else { return .nothing }
            var group: [Candidate] = []
            for source in sources {
                let tree = layers[source.layer]
                let nid = try component.withSpan { (name) throws(IndexError) in
                    try tree.tree.lookup(name, in: UInt64(source.nid))
                }
                guard let nid, let short = UInt32(exactly: nid) else { continue }
                let type = try tree.tree.node(nid).type
                group.append(
                    Candidate(name: .none, origin: Origin(layer: source.layer, nid: short), type: type))
            }
            current = try resolve(group[...])
        }
        return current
    }

    /// The path that an inode is a hard link to in lower layers, or nil.
    borrowing func linkTarget(_ origin: Origin) throws(IndexError) -> ByteString? {
        let layer = layers[origin.layer]
        let inode = try layer.tree.inode(UInt64(origin.nid))
        guard inode.attributeSize > 0, inode.type == .regular, inode.size == 0 else { return nil }
        guard let path = try layer.tree.markValue(UnionMark.linkName, inode) else { return nil }
        return ByteString(path)
    }

    /// Makes every hard link that crosses layers one more name of its target. A target
    /// whose own names are all hidden lives on under the link's.
    mutating func resolveLinks() throws(IndexError) {
        guard !unresolved.isEmpty else { return }
        var targets: [Origin] = []
        for link in unresolved { targets.append(try target(of: link)) }
        var nodes: [Origin: Int] = [:]
        let wanted = Set(targets)
        for (number, origin) in origins.enumerated() where wanted.contains(origin) { nodes[origin] = number }
        for (link, origin) in zip(unresolved, targets) {
            if nodes[origin] == nil { nodes[origin] = try addLeaf(origin) }
            table.entries[link.entry].node = nodes[origin] ?? 0
        }
    }

    private borrowing func target(of link: UnresolvedLink) throws(IndexError) -> Origin {
        var layer = link.layer
        var path = link.target
        // Each step goes at least one layer down.
        while case .leaf(let origin) = try find(path, below: layer) {
            guard let next = try linkTarget(origin) else { return origin }
            layer = origin.layer
            path = next
        }
        throw .missingLinkTarget(path: pathOf(entry: link.entry), target: link.target)
    }

    /// The path of an entry; for messages only, O(nodes) a directory.
    private borrowing func pathOf(entry: Int) -> ByteString {
        var path = ByteString(table.bytes[table.entries[entry].name.range])
        var current = entry
        for _ in 0..<Limits.depth {
            let directory = table.nodes.firstIndex { node in
                guard case .directory(let first, let count) = node.content else { return false }
                return (first..<first + count).contains(current)
            }
            guard let directory, directory != 0,
                let above = table.entries.firstIndex(where: { $0.node == directory })
            else { break }
            path = ByteString(table.bytes[table.entries[above].name.range]).appending(path)
            current = above
        }
        return path
    }

    private borrowing func hasAttributes(_ origin: Origin) throws(IndexError) -> Bool {
        try layers[origin.layer].tree.inode(UInt64(origin.nid)).attributeSize > 0
    }

    private borrowing func isWhiteout(_ candidate: Candidate) throws(IndexError) -> Bool {
        guard candidate.type == .characterDevice else { return false }
        return try layers[candidate.origin.layer].tree.node(UInt64(candidate.origin.nid)).isWhiteout
    }

    private borrowing func marks(of origin: Origin) throws(IndexError) -> DirectoryMarks {
        let layer = layers[origin.layer]
        let inode = try layer.tree.inode(UInt64(origin.nid))
        guard inode.attributeSize > 0 else { return [] }
        var marks: DirectoryMarks = []
        if try layer.tree.hasMark(UnionMark.opaqueName, inode) { marks.insert(.opaque) }
        if try layer.tree.hasMark(UnionMark.impliedName, inode) { marks.insert(.implied) }
        return marks
    }
}

extension StoredAttribute {
    /// Whether this is one of the union's own, which no container sees.
    var isUnionMark: Bool {
        index == AttributeBlock.trustedIndex && hasSuffixPrefix("overlay.")
            && !hasSuffixPrefix("overlay.overlay.")
    }
}
