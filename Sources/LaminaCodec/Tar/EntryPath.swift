// EntryPath turns the name in a tar into a path below the layer's root, or refuses it.

import LaminaCore

/// The rules for names of entries and of hard links' targets: see `LayerError`.
enum EntryPath {
    /// The path that `name` means; empty for the root. O(bytes).
    static func normalised(_ name: [UInt8]) throws(LayerError) -> ByteString {
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        // A name that is far too long is not even copied for the message.
        guard name.count <= 2 * Limits.pathLength else {
            throw .pathTooLong(ByteString(name.prefix(64)))
        }
        var result: [UInt8] = []
        result.reserveCapacity(name.count)
        var depth = 0
        var start = 0
        while start < name.count {
            let end = name[start...].firstIndex(of: slash) ?? name.count
            let component = name[start..<end]
            start = end + 1
            if component.isEmpty || component.elementsEqual([dot]) { continue }
            if component.elementsEqual([dot, dot]) { throw .parentReference(ByteString(name)) }
            if component.count > Limits.nameLength { throw .nameTooLong(ByteString(name)) }
            if !result.isEmpty { result.append(slash) }
            result.append(contentsOf: component)
            depth += 1
        }
        if name.first == slash && !result.isEmpty { throw .absoluteName(ByteString(name)) }
        if result.count > Limits.pathLength { throw .pathTooLong(ByteString(name.prefix(64))) }
        if depth > Limits.depth { throw .pathTooDeep(ByteString(name)) }
        return ByteString(result)
    }
}
