// BlockMapMark owns the value of the xattr that ties a sandbox's file to its block map.

import LaminaCore

/// `trusted.lamina.blockmap`: `<name> <limit>`.
///
/// The limit stands here and not in the map because a filesystem keeps the order of a
/// truncation and an xattr of one inode, through a power cut too.
package struct BlockMapMark: Equatable {
    /// The map's file in `maps`: 16 lowercase hexadecimal digits.
    package var name: ByteString
    /// The smallest size that the file ever had: bytes from there on are never the lower's.
    package var limit: UInt64

    package init(name: ByteString, limit: UInt64) {
        self.name = name
        self.limit = limit
    }

    /// Nil when the value is none that this version writes.
    package init?(_ value: [UInt8]) {
        let parts = value.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isName(parts[0]), parts[1].count <= 20,
            let limit = UInt64(String(decoding: parts[1], as: UTF8.self))
        else { return nil }
        self.init(name: ByteString(parts[0]), limit: limit)
    }

    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count == 16 && bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    package var encoded: [UInt8] { Array(name.bytes) + Array(" \(limit)".utf8) }

    /// A name that no other map has, after whatever copying of sandboxes.
    package static func newName() -> ByteString {
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        return ByteString(String(repeating: "0", count: 16 - digits.count) + digits)
    }
}
