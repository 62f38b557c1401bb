// TreeWalk asks an index everything that can be asked.

import LaminaCore
import LaminaIndex
import LaminaSystem

enum TreeWalk {
    /// Nodes that are looked at.
    private static let nodeLimit = 3000

    /// The number of questions that were answered by an error; 1 when the index cannot be opened.
    static func run(_ file: borrowing Descriptor) -> Int {
        guard let mapping = try? MappedFile(file), let tree = try? Tree(mapping) else { return 1 }
        var refused = 0
        var pending = [Tree.root]
        var seen: Set<UInt64> = []
        while let nid = pending.popLast(), seen.count < nodeLimit {
            guard seen.insert(nid).inserted else { continue }
            refused += ask(tree, nid)
            guard let node = try? tree.node(nid), node.type == .directory else { continue }
            var names: [(ByteString, UInt64)] = []
            let listed: Void? = try? tree.forEachEntry(of: nid, from: 0) { name, child, _, _ in
                names.append((ByteString(name), child))
                return names.count < nodeLimit
            }
            if listed == nil { refused += 1 }
            for (name, child) in names {
                let found = try? name.withSpan { name in try tree.lookup(name, in: nid) }
                if found == nil { refused += 1 }
                pending.append(child)
            }
        }
        return refused
    }

    private static func ask(_ tree: borrowing Tree, _ nid: UInt64) -> Int {
        guard let node = try? tree.node(nid) else { return 1 }
        var refused = 0
        switch node.type {
        case .regular: if (try? tree.content(nid)) == nil { refused += 1 }
        case .symlink: if (try? tree.symlinkTarget(nid)) == nil { refused += 1 }
        case .directory: if (try? tree.isOpaque(nid)) == nil { refused += 1 }
        default: break
        }
        // A node of the wrong kind is an error, not a trap.
        _ = try? tree.content(nid)
        _ = try? tree.symlinkTarget(nid)
        _ = try? tree.forEachEntry(of: nid, from: 0) { _, _, _, _ in false }
        if (try? tree.extendedAttributes(nid)) == nil { refused += 1 }
        let name: ByteString = "user.a"
        do {
            // Nil is an answer.
            _ = try name.withSpan { name in try tree.extendedAttribute(nid, name) }
        } catch {
            refused += 1
        }
        return refused
    }
}
