// FuzzTarget is what a fuzzer throws bytes at: each reader of foreign bytes, with the
// properties that must hold whatever the bytes are. A broken one ends the process.

import LaminaCore

/// A reader of foreign bytes. Whatever it is given, it answers or refuses; it never traps,
/// hangs or takes memory without bound.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// A layer's tar, through parser and index to the tree.
    case tar
    /// The framing of gzip, zstd and lz4.
    case codec
    /// An EROFS index.
    case index

    /// Bytes of an input beyond which nothing new is to be found.
    public static let inputLimit = 1 << 20

    /// Reads `bytes`; true when they were read to the end, false when they were refused.
    @discardableResult
    public func run(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= Self.inputLimit else { return false }
        switch self {
        case .tar: return TarProperty.check(bytes)
        case .codec: return CodecProperty.check(bytes)
        case .index: return IndexProperty.check(bytes)
        }
    }
}

/// Ends the process when a property does not hold, in every build.
@inline(__always)
func require(_ condition: Bool, _ property: String) {
    if !condition { preconditionFailure(property) }
}
