// StoreError owns everything that can go wrong with the store's own files.

import LaminaCodec
import LaminaCore

/// Why the store could not do something.
public enum StoreError: Error, Hashable, Sendable {
    /// What was being done, in words, and what the system said.
    case system(String, Errno)
    /// The bytes of a layer are not a layer.
    case layer(CodecError)
    /// Content is not what its name says.
    case digestMismatch(StoreContent, expected: Digest, found: Digest)
    case sizeMismatch(StoreContent, expected: UInt64, found: UInt64)
    case missing(StoreContent, Digest)
    /// The `splits` file of a layer does not say where its objects stood.
    case badSplits(Digest, String)
    /// The directory is not a store and not empty, or not ours.
    case unusableRoot(ByteString, String)
}

/// The kinds of content the store names by digest.
public enum StoreContent: String, Hashable, Sendable, CaseIterable {
    case blob
    case object
    case layer
    case chain
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let what, let error): "cannot \(what): \(error)"
        case .layer(let error): error.description
        case .digestMismatch(let content, let expected, let found):
            "\(content.rawValue) digest does not match: expected \(expected), got \(found)"
        case .sizeMismatch(let content, let expected, let found):
            "\(content.rawValue) size does not match: expected \(expected) bytes, got \(found)"
        case .missing(let content, let digest): "\(content.rawValue) \(digest) is not in the store"
        case .badSplits(let diffID, let reason): "layer \(diffID) has a damaged splits file: \(reason)"
        case .unusableRoot(let path, let reason): "cannot use \(path) as a store: \(reason)"
        }
    }
}

/// Runs `body`, naming what it does should the system refuse.
@inline(__always)
func doing<Value: ~Copyable>(
    _ what: @autoclosure () -> String, _ body: () throws(Errno) -> Value
) throws(StoreError) -> Value {
    do throws(Errno) {
        return try body()
    } catch {
        throw .system(what(), error)
    }
}
