// StagedBlob owns a blob of unknown digest while somebody writes it.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// A file under `ingest/` that becomes a blob. Dropping it removes it.
public struct StagedBlob: ~Copyable {
    private let staging: IngestDirectory
    private let file: Descriptor
    private var hash = SHA256()
    private var writeBehind = WriteBehind()
    /// Bytes so far.
    public private(set) var size: UInt64 = 0

    fileprivate init(_ staging: consuming IngestDirectory, _ file: consuming Descriptor) {
        self.staging = staging
        self.file = file
    }

    /// Appends bytes. O(bytes).
    public mutating func write(_ bytes: RawSpan) throws(Errno) {
        hash.update(bytes)
        try file.writeAll(bytes)
        size += UInt64(bytes.byteCount)
        if let range = writeBehind.wrote(bytes.byteCount) { file.startWriteback(range) }
    }

    /// The blob's digest. Nothing is written after this.
    public mutating func finish() -> Digest { hash.finishAndReset() }

    /// The bytes so far, from their start.
    public func reader() throws(StoreError) -> Descriptor {
        try doing("read a blob") { () throws(Errno) in
            try staging.descriptor.open(StagedLayer.blobName, O_RDONLY)
        }
    }

    /// Makes the blob durable and visible under its digest; one that is there already stays.
    public consuming func publish(
        as digest: Digest, placing: Placing = Store.placeAtOnce
    ) throws(StoreError) {
        let store = staging.store
        let target = StorePath.blob(digest)
        let what = "keep blob \(digest)"
        try doing(what) { () throws(Errno) in
            try file.sync()
            try store.makeFanOut(of: target, in: store.blobs)
        }
        try placing([(.blob, digest)]) { () throws(StoreError) in
            try doing(what) { () throws(Errno) in
                try store.place(StagedLayer.blobName, of: staging.descriptor, in: store.blobs, as: target)
            }
        }
        try doing(what) { () throws(Errno) in try store.syncFanOut(of: target, in: store.blobs) }
    }
}

extension Store {
    /// A new file for a blob.
    public func stageBlob() throws(StoreError) -> StagedBlob {
        let staging = try IngestDirectory.make(in: self)
        let file = try doing("make a blob's file") { () throws(Errno) in
            try staging.create(StagedLayer.blobName)
        }
        return StagedBlob(staging, file)
    }
}
