// NameIndex owns the way from (directory, name) to a link of a layer being built: an
// open-addressing table of numbers. Its order never reaches the output.

import LaminaCore

/// One name of a layer: where it stands, and what the layer says of it.
struct Link {
    /// The directory's node.
    var parent: Int32
    var name: ByteRange
    /// The node it leads to; -1 when the layer holds none.
    var node: Int32
    /// Whether a whiteout hides this name in the layers below.
    var hidesLower: Bool
}

/// All names of a layer, found by directory and name.
struct NameIndex: ~Copyable {
    private(set) var links: [Link] = []
    /// Link numbers plus one; 0 is free. The count is a power of two.
    private var slots: [UInt32]

    init() {
        slots = Array(repeating: 0, count: 1024)
    }

    /// The number of the link, or nil. Expected O(1); the hash is seeded for each process,
    /// so a layer cannot be made to collide.
    func find(_ name: Span<UInt8>, in parent: Int32, _ bytes: [UInt8]) -> Int? {
        var slot = Self.hash(name, parent) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            let link = links[number]
            if link.parent == parent, Int(link.name.count) == name.count,
                bytes.span.extracting(link.name.range).compare(name) == 0
            {
                return number
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a link that is not there yet; `bytes` holds its name and those of all others.
    mutating func insert(_ link: Link, _ bytes: [UInt8]) -> Int {
        if (links.count + 1) * 2 > slots.count { grow(bytes) }
        links.append(link)
        occupy(links.count - 1, bytes)
        return links.count - 1
    }

    mutating func update(_ number: Int, _ change: (inout Link) -> Void) {
        change(&links[number])
    }

    private mutating func grow(_ bytes: [UInt8]) {
        slots = Array(repeating: 0, count: slots.count * 2)
        for number in links.indices { occupy(number, bytes) }
    }

    private mutating func occupy(_ number: Int, _ bytes: [UInt8]) {
        let link = links[number]
        var slot = Self.hash(bytes.span.extracting(link.name.range), link.parent) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(number + 1)
    }

    private static func hash(_ name: Span<UInt8>, _ parent: Int32) -> Int {
        var hasher = Hasher()
        hasher.combine(parent)
        // SAFETY: the bytes are read during the call.
        unsafe name.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
