// The end of a layer: whiteouts become nodes, marks become xattrs, names get their order.

import LaminaCore

extension LayerTree {
    /// Turns the names into sorted directories. Afterwards `table` can be written.
    mutating func finish() throws(IndexError) {
        try applyWhiteouts()
        for node in marks.indices where isDirectory(Int32(node)) {
            try storeMarks(node)
        }
        placeEntries()
    }

    /// A name that is hidden below and made anew: a directory hides by being opaque, and
    /// takes nothing from below; other nodes hide by being there. A name that is only
    /// hidden becomes a whiteout; all of those are one node.
    private mutating func applyWhiteouts() throws(IndexError) {
        var whiteout: Int32?
        for number in names.links.indices where names.links[number].hidesLower {
            let node = names.links[number].node
            if node < 0 {
                let made =
                    whiteout
                    ?? append(
                        Node(FileAttributes(type: .characterDevice, permissions: 0), content: .device(0)))
                whiteout = made
                names.update(number) { $0.node = made }
            } else if isDirectory(node) {
                marks[Int(node)].insert(.opaque)
                marks[Int(node)].remove(.implied)
            }
        }
    }

    private mutating func storeMarks(_ node: Int) throws(IndexError) {
        let mark = marks[node]
        guard !mark.isEmpty else { return }
        var block = Array(table.bytes[table.nodes[node].attributes.range])
        if mark.contains(.opaque) { AttributeBlock.append(.opaque, to: &block) }
        if mark.contains(.implied) { AttributeBlock.append(.implied, to: &block) }
        table.nodes[node].attributes = try table.store(block.raw)
    }

    /// Groups the links by directory, and sorts each directory's by name.
    private mutating func placeEntries() {
        var first = [Int](repeating: 0, count: table.nodes.count + 1)
        for link in names.links where isVisible(link) { first[Int(link.parent) + 1] += 1 }
        for node in 1..<first.count { first[node] += first[node - 1] }
        var next = first
        let total = first[first.count - 1]
        table.entries = Array(repeating: Entry(name: .none, node: 0), count: total)
        for link in names.links where isVisible(link) {
            table.entries[next[Int(link.parent)]] = Entry(name: link.name, node: Int(link.node))
            next[Int(link.parent)] += 1
        }
        for node in table.nodes.indices where isDirectory(Int32(node)) {
            let range = first[node]..<first[node + 1]
            table.sortEntries(range)
            table.nodes[node].content = .directory(first: range.lowerBound, count: range.count)
        }
    }

    /// AUFS keeps metadata under names of its own; files there may be the targets of hard
    /// links, but the names are no part of the tree.
    private borrowing func isVisible(_ link: Link) -> Bool {
        guard link.node >= 0 else { return false }
        guard link.name.count >= Whiteout.metadataPrefix.count else { return true }
        return !table.bytes[link.name.range].starts(with: Whiteout.metadataPrefix.bytes)
    }
}

extension NodeTable {
    /// Sorts entries by name. Linear when they already are, as tars often have them.
    mutating func sortEntries(_ range: Range<Int>) {
        guard range.count > 1 else { return }
        var index = range.lowerBound + 1
        while index < range.upperBound, precedes(entries[index - 1].name, entries[index].name) { index += 1 }
        guard index < range.upperBound else { return }
        var sorted = Array(entries[range])
        let names = bytes
        sorted.sort { left, right in
            names.span.extracting(left.name.range).compare(names.span.extracting(right.name.range)) < 0
        }
        entries.replaceSubrange(range, with: sorted)
    }
}
