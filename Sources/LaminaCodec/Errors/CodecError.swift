// CodecError owns everything that can be wrong with the bytes of a layer, and with reading them.

import LaminaCore

/// Why a stream of bytes could not be read as a layer.
public enum CodecError: Error, Hashable, Sendable {
    /// The system refused to read the input.
    case read(Errno)
    /// The system refused to keep a copy of the input (a tee's write).
    case write(Errno)
    /// A library gave no memory for its state.
    case outOfMemory(Compression)
    /// The input ends inside a member or frame.
    case truncated(Compression)
    /// The library's own words say what is wrong.
    case corrupt(Compression, String)
    /// Bytes behind the last member that are neither a member nor padding.
    case trailingGarbage(Compression)
    /// The magic bytes say another compression than the media type.
    case wrongCompression(declared: Compression, found: Compression)
    /// A library could not compress; its own words.
    case encoding(Compression, String)
    /// Malformed tar; `offset` is that of the header concerned, in bytes of the tar.
    case tar(TarFault, offset: UInt64)
    /// A well-formed tar that no tree can be made of.
    case layer(LayerError)
    /// The reader of the stream asked it to stop.
    case cancelled
}

/// What is wrong with a tar.
public enum TarFault: String, Error, Hashable, Sendable, CaseIterable {
    case badChecksum = "the header's checksum does not match"
    case badNumber = "a number of the header is malformed"
    case numberOutOfRange = "a number of the header is out of range"
    case badExtendedHeader = "a record of the extended header is malformed"
    case extendedHeaderTooLarge = "an extended header is too large"
    case truncatedHeader = "the tar ends within a header"
    case truncatedPayload = "the tar ends within a file"
    case danglingExtendedHeader = "the tar ends behind an extended header"
    case loneZeroBlock = "a single block of zeros between entries"
    case badSparseMap = "the map of a sparse file is malformed"
    case sparseMapTooLarge = "the map of a sparse file is too large"
    case unsupportedSparse = "a sparse file of unknown kind"
    case unsupportedType = "an entry of unknown type"
}

extension CodecError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .read(let error): "cannot read: \(error)"
        case .write(let error): "cannot write: \(error)"
        case .outOfMemory(let compression): "no memory to read \(compression)"
        case .truncated(let compression): "truncated \(compression)"
        case .corrupt(let compression, let reason): "corrupt \(compression): \(reason)"
        case .trailingGarbage(let compression): "bytes behind the end of the \(compression) data"
        case .wrongCompression(let declared, let found): "is said to be \(declared) and is \(found)"
        case .encoding(let compression, let reason): "cannot compress with \(compression): \(reason)"
        case .tar(let fault, let offset): "bad tar at byte \(offset): \(fault.rawValue)"
        case .layer(let error): error.description
        case .cancelled: "interrupted"
        }
    }
}
