// Changes owns what came into the tree since it was mirrored. Every change is one call on the real tree, at a path
// that is known: what a server must at least do.

import Glibc
import LaminaCore
import LaminaSystem

/// A name in a directory.
struct Place: Hashable {
    var parent: UInt64
    var name: [UInt8]
}

struct Changes: ~Copyable {
    let tree: Descriptor
    private var made: [Place: UInt64] = [:]
    private var paths: [UInt64: [UInt8]] = [:]
    private var nextNode: UInt64 = 1 << 40

    init(_ tree: consuming Descriptor) {
        self.tree = tree
    }

    func node(_ place: Place) -> UInt64? { made[place] }

    var isEmpty: Bool { made.isEmpty }

    func path(_ node: UInt64) -> ByteString? { paths[node].map { ByteString($0) } }

    /// Notes a new node at `path`.
    mutating func add(_ place: Place, at path: ByteString) -> UInt64 {
        nextNode += 1
        made[place] = nextNode
        paths[nextNode] = Array(path.bytes)
        return nextNode
    }

    mutating func remove(_ place: Place) {
        if let node = made.removeValue(forKey: place) { paths[node] = nil }
    }

    mutating func move(_ place: Place, to other: Place, at path: ByteString) {
        guard let node = made.removeValue(forKey: place) else { return }
        made[other] = node
        paths[node] = Array(path.bytes)
    }
}
