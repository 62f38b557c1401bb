// StorePath owns the names of the store's files: the only place that spells them.

import LaminaCore

/// Names of content below the rooms of a store.
public enum StorePath {
    /// The tar of a layer without its objects.
    public static let stream: ByteString = "stream"
    /// Where the objects stood.
    public static let splits: ByteString = "splits"
    /// The tree of a layer.
    public static let index: ByteString = "index.erofs"

    /// `ab/ab12…`, below `blobs/sha256`.
    public static func blob(_ digest: Digest) -> ByteString {
        let hex = digest.hex
        return ByteString("\(hex.prefix(2))/\(hex)")
    }

    /// `ab/12…`, below `objects`: what overlayfs's redirect names.
    public static func object(_ digest: Digest) -> ByteString {
        let hex = digest.hex
        return ByteString("\(hex.prefix(2))/\(hex.dropFirst(2))")
    }

    /// The directory of a layer, below `layers`.
    public static func layer(_ diffID: Digest) -> ByteString {
        ByteString(diffID.hex)
    }

    /// The tree of a chain, below `chains`.
    public static func chain(_ chainID: Digest) -> ByteString {
        ByteString(chainID.hex + ".erofs")
    }

    /// Whether a path has the form `ab/12…`.
    static func hasFanOut(_ path: ByteString) -> Bool {
        path.count > 3 && path.bytes[2] == UInt8(ascii: "/")
    }

    /// The directory part of `ab/12…`.
    static func fanOut(_ path: ByteString) -> ByteString {
        ByteString(path.bytes.prefix(2))
    }
}
