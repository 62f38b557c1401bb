// Compression names the codecs of layers and knows them by their first bytes.

import LaminaCore

/// How a layer blob is compressed.
public enum Compression: String, Sendable, Hashable, CaseIterable {
    case none
    case gzip
    case zstd
    case lz4

    /// The compression that the first bytes of a blob tell. A tar starts with a name, which
    /// none of the magics can be mistaken for. A skippable frame, which zstd and lz4 share,
    /// counts as zstd.
    ///
    /// Follows RFC 1952 section 2.3.1, RFC 8878 section 3.1, `lz4_Frame_format.md`.
    public static func detect(_ prefix: Span<UInt8>) -> Compression {
        if prefix.count >= 3 && prefix[0] == 0x1F && prefix[1] == 0x8B && prefix[2] == 8 { return .gzip }
        guard prefix.count >= 4 else { return .none }
        let word =
            UInt32(prefix[0]) | UInt32(prefix[1]) << 8 | UInt32(prefix[2]) << 16 | UInt32(prefix[3]) << 24
        switch word {
        case 0xFD2F_B528, 0x184D_2A50...0x184D_2A5F: return .zstd
        case 0x184D_2204: return .lz4
        default: return .none
        }
    }

    /// Whether a blob that is declared to be this may start with `prefix`.
    func agrees(with prefix: Span<UInt8>) -> Bool {
        let found = Compression.detect(prefix)
        let skippable = found == .zstd && prefix[0] & 0xF0 == 0x50
        return found == self || self == .lz4 && skippable
    }
}

extension Compression: CustomStringConvertible {
    public var description: String { self == .none ? "uncompressed" : rawValue }
}
