// The bounds and wishes of an ingest, and what is known of a layer before it is read.

import Glibc
import LaminaCodec
import LaminaCore

/// Bounds of one layer. A layer beyond one of them is refused, with an error that names it.
public struct IngestLimits: Sendable, Hashable {
    /// Headers of the tar. Default: 4 million.
    public var entries = UInt64(Limits.entriesPerLayer)
    /// Bytes of the decompressed tar. Default: 256 GiB.
    public var tarSize: UInt64 = 256 << 30
    /// Decompressed bytes for one compressed byte, once `freeExpansion` is passed. Default: 256.
    public var expansion: UInt64 = 256
    /// Decompressed bytes that may come of anything. Default: 256 MiB.
    public var freeExpansion: UInt64 = 256 << 20
    /// Bytes of one extended header, of all global ones, and of a sparse file's map. Default: 1 MiB.
    public var extendedHeaderSize = 1 << 20
    /// Bytes of all sparse files together, with their holes. Default: 8 GiB.
    public var sparseSize = Limits.sparseSize
    /// Bytes of all link targets and xattrs together. Default: 256 MiB.
    public var metadataSize = Limits.metadataSize

    public init() {}
}

/// What an image says of a layer: whatever is given is verified.
public struct LayerExpectation: Sendable, Hashable {
    /// What the media type says; nil to go by the magic bytes alone.
    public var compression: Compression?
    public var blobDigest: Digest?
    public var blobSize: UInt64?
    public var diffID: Digest?

    public init(
        compression: Compression? = nil, blobDigest: Digest? = nil, blobSize: UInt64? = nil,
        diffID: Digest? = nil
    ) {
        self.compression = compression
        self.blobDigest = blobDigest
        self.blobSize = blobSize
        self.diffID = diffID
    }
}

/// How an ingest is to be done.
public struct IngestOptions: Sendable {
    public var limits = IngestLimits()
    /// Whether the compressed blob is kept. An uncompressed one never is: `LayerReader`
    /// gives it back.
    public var keepBlob = true
    /// Threads that decode a layer of several gzip members or zstd frames, at most four; with 1 it
    /// is decoded in order. Default: the machine's cores, where there are more than two.
    public var decodingThreads = IngestOptions.decodingThreads(sharing: 1)
    /// Called with the bytes of the blob read so far, about once a MiB, on any thread; false
    /// stops the ingest with `CodecError.cancelled`.
    public var progress: (@Sendable (UInt64) -> Bool)?

    public init() {}

    /// The default for one of `count` ingests that run at once. An ingest keeps two cores busy as it
    /// is: one reads, decodes and hashes the blob, one hashes, splits and writes the tar.
    public static func decodingThreads(sharing count: Int) -> Int {
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) / max(count, 1)
        return cores > 2 ? cores : 1
    }
}

/// What an ingest found.
public struct LayerSummary: Sendable, Hashable {
    public var compression: Compression
    public var blobDigest: Digest
    public var blobSize: UInt64
    /// Whether the blob is among the published files.
    public var blobKept: Bool
    public var diffID: Digest
    public var tarSize: UInt64
    public var streamSize: UInt64
    /// Entries given to the sink.
    public var entryCount: UInt64
    /// Every object of the layer once, in the order of the tar.
    public var objects: [Digest]
    /// How many of them the store did not have, and their bytes.
    public var newObjectCount: Int
    public var newObjectSize: UInt64
}
