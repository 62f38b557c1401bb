// What the parsers of mount options ask of bytes. Only ASCII has a meaning there; all other bytes are
// kept as they are.

import LaminaCore

extension ByteString {
    /// The part before the first `separator`, and the part behind it; nil for the latter without one.
    func cut(at separator: UInt8) -> (before: ByteString, behind: ByteString?) {
        guard let index = bytes.firstIndex(of: separator) else { return (self, nil) }
        return (ByteString(bytes[..<index]), ByteString(bytes[(index + 1)...]))
    }

    /// The parts between separators, also empty ones; one part for no separator.
    func parts(separatedBy separator: UInt8) -> [ByteString] {
        bytes.split(separator: separator, omittingEmptySubsequences: false).map { ByteString($0) }
    }

    /// Without white space at both ends.
    var trimmed: ByteString {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let start = bytes.drop(while: isSpace)
        guard let end = start.lastIndex(where: { !isSpace($0) }) else { return ByteString() }
        return ByteString(start[...end])
    }

    /// With ASCII letters in lower case.
    var lowercased: ByteString {
        ByteString(bytes.lazy.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 })
    }

    /// As text; bytes that are not UTF-8 become U+FFFD.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
