// The mirror's names follow what was changed in the tree, so that no lookup ever has to ask it.

import Glibc
import LaminaCore
import LaminaSystem

extension Mirror {
    /// Enters all names; a quarter of the table is filled, so that it seldom grows.
    mutating func fillTable() {
        var size = 64
        while size < nodes.count * 4 { size *= 2 }
        table = [UInt32](repeating: 0, count: size)
        filled = 0
        for index in nodes.indices.dropFirst() where !nodes[index].isGone { enter(UInt32(index)) }
    }

    private mutating func enter(_ index: UInt32) {
        let last = table.count - 1
        var place = hash(of: index) & last
        while table[place] != 0, table[place] != Self.removed { place = (place + 1) & last }
        if table[place] == 0 { filled += 1 }
        table[place] = index
        if filled * 2 > table.count { fillTable() }
    }

    private mutating func leave(_ index: UInt32) {
        let last = table.count - 1
        var place = hash(of: index) & last
        while table[place] != index { place = (place + 1) & last }
        table[place] = Self.removed
    }

    private mutating func keep(_ name: [UInt8]) -> Range<UInt32> {
        let start = UInt32(names.count)
        names += name
        return start..<UInt32(names.count)
    }

    /// Notes a name that was made, of a new node or of `node`; the node's number.
    mutating func add(_ name: [UInt8], in parent: UInt32, of node: UInt32? = nil) throws(Errno) -> UInt32 {
        let number = UInt32(clamping: nodes.count)
        guard number < UInt32.max, names.count < Int(UInt32.max) - name.count else { throw .noSpace }
        let new = MirroredNode(
            parent: parent, name: keep(name), node: node ?? number, place: number, status: FileStatus(),
            isChanged: true, isRelisted: true)
        nodes.append(new)
        enter(number)
        touch(parent)
        if let node { noteLink(number, of: node) }
        return new.node
    }

    private mutating func noteLink(_ name: UInt32, of node: UInt32) {
        nodes[Int(node)].isChanged = true
        let place = nodes[Int(node)].place
        let others = links[node] ?? [place]
        links[node] = others + [name]
        if nodes[Int(place)].isGone { nodes[Int(node)].place = name }
    }

    /// Notes that a name was removed; whether it was the node's last.
    mutating func remove(_ index: UInt32) -> Bool {
        leave(index)
        nodes[Int(index)].isGone = true
        touch(nodes[Int(index)].parent)
        let node = nodes[Int(index)].node
        nodes[Int(node)].isChanged = true
        guard var others = links[node] else { return true }
        others.removeAll { $0 == index }
        links[node] = others
        guard let other = others.first else { return true }
        nodes[Int(node)].place = other
        return false
    }

    mutating func move(_ index: UInt32, to parent: UInt32, _ name: [UInt8]) {
        leave(index)
        touch(nodes[Int(index)].parent)
        nodes[Int(index)].parent = parent
        nodes[Int(index)].name = keep(name)
        enter(index)
        touch(parent)
        nodes[Int(nodes[Int(index)].node)].isChanged = true
    }

    /// Notes that two names were exchanged.
    mutating func exchange(_ index: UInt32, _ other: UInt32) {
        let name = nodes[Int(index)]
        let otherName = nodes[Int(other)]
        let bytes = names[Int(name.name.lowerBound)..<Int(name.name.upperBound)]
        let otherBytes = names[Int(otherName.name.lowerBound)..<Int(otherName.name.upperBound)]
        move(index, to: otherName.parent, Array(otherBytes))
        move(other, to: name.parent, Array(bytes))
    }

    /// A directory's entries have changed.
    private mutating func touch(_ directory: UInt32) {
        nodes[Int(directory)].isChanged = true
        nodes[Int(directory)].isRelisted = true
    }
}
