// Where a regular file's bytes are kept in the store.

/// The place of a payload in the store.
public enum FileData: Hashable, Sendable {
    /// No byte.
    case empty
    /// `length` bytes at byte `offset` of the layer's `stream` file. The offset is a
    /// multiple of 512, as tar payloads are.
    case stream(offset: UInt64, length: UInt64)
    /// All bytes of the object of this name, `length` of them.
    case object(Digest, length: UInt64)

    /// The file's size in bytes.
    public var length: UInt64 {
        switch self {
        case .empty: 0
        case .stream(_, let length), .object(_, let length): length
        }
    }
}
