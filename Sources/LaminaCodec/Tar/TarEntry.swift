// TarEntry is what one header of a layer's tar says, with all dialects resolved.

import LaminaCore

/// What an entry of a layer makes.
public enum TarEntryKind: Sendable, Hashable {
    case file
    case directory
    /// The target's bytes as the tar has them, never interpreted.
    case symlink(target: ByteString)
    /// The path of the file it is one more name of, in the form of `TarEntry.path`.
    case hardLink(target: ByteString)
    /// A character or block device; `FileAttributes` say which and its number.
    case device
    case fifo
}

/// One entry of a layer's tar.
public struct TarEntry: Sendable, Hashable {
    /// The path below the layer's root: without leading `/` or `./`, empty or `.` components
    /// and trailing `/`, never with a `..`; empty for the root itself. At most
    /// `Limits.pathLength` bytes in components of at most `Limits.nameLength`.
    public var path: ByteString
    public var kind: TarEntryKind
    /// A hard link's attributes are those of its header, of type `regular`; the file it
    /// links to decides.
    public var attributes: FileAttributes
    /// By name in byte order, each name once.
    public var extendedAttributes: [ExtendedAttribute]
    /// Bytes of the payload in the tar; 0 for everything but files.
    public var size: UInt64
    /// Of a sparse file, where the payload's bytes belong.
    public var sparse: SparseMap?
    /// Whose alternate data stream it is, if that one's xattr can hold it. Its path and payload are a file's all the same.
    public var alternateStream: AlternateStream?

    public init(
        path: ByteString, kind: TarEntryKind, attributes: FileAttributes,
        extendedAttributes: [ExtendedAttribute] = [], size: UInt64 = 0,
        sparse: SparseMap? = nil
    ) {
        self.path = path
        self.kind = kind
        self.attributes = attributes
        self.extendedAttributes = extendedAttributes
        self.size = size
        self.sparse = sparse
    }
}

extension TarEntry {
    /// Bytes of link target and xattrs.
    var metadataSize: UInt64 {
        var count: Int
        switch kind {
        case .symlink(let target), .hardLink(let target): count = target.count
        case .file, .directory, .device, .fifo: count = 0
        }
        for attribute in extendedAttributes { count += attribute.name.count + attribute.value.count }
        return UInt64(count)
    }
}

/// Takes the entries of one layer, in the order of its tar.
public protocol LayerEntrySink: ~Copyable {
    /// Called once for each entry, after its payload has its place. Entries may repeat a
    /// path: the last one counts. `data` is `.empty` for everything but files; of a sparse
    /// file it is the object that holds it with its holes.
    mutating func add(_ entry: TarEntry, data: FileData) throws(LayerError)
}
