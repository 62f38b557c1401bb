// Putting content that is whole in memory, or is written by someone else, into the store.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// A file under `ingest/` that becomes a chain's tree. Dropping it removes it.
public struct StagedChain: ~Copyable, Sendable {
    public let chainID: Digest
    /// Open for reading and writing.
    public let file: Descriptor
    private let staging: IngestDirectory

    static let fileName: ByteString = "chain"

    fileprivate init(_ chainID: Digest, _ file: consuming Descriptor, _ staging: consuming IngestDirectory) {
        self.chainID = chainID
        self.file = file
        self.staging = staging
    }

    /// Makes the file durable and visible; a chain that is there already stays, unless it is to be replaced.
    public consuming func publish(
        replacing: Bool = false, placing: Placing = Store.placeAtOnce
    ) throws(StoreError) {
        let store = staging.store
        let what = "put chain \(chainID) in its place"
        try doing(what) { () throws(Errno) in try file.sync() }
        try placing([(.chain, chainID)]) { () throws(StoreError) in
            try doing(what) { () throws(Errno) in
                try store.place(
                    Self.fileName, of: staging.descriptor, in: store.chains, as: StorePath.chain(chainID),
                    replacing: replacing)
            }
        }
        try doing(what) { () throws(Errno) in try store.chains.syncDirectory() }
    }
}

extension Store {
    /// A new file for the tree of a chain.
    public func stageChain(_ chainID: Digest) throws(StoreError) -> StagedChain {
        let staging = try IngestDirectory.make(in: self)
        do throws(Errno) {
            let file = try staging.descriptor.open(
                StagedChain.fileName, O_RDWR | O_CREAT | O_EXCL, permissions: 0o444)
            return StagedChain(chainID, file, staging)
        } catch {
            throw .system("make a chain's file", error)
        }
    }

    /// Keeps a manifest or config, durably, verified against `expected` where that is given.
    /// Returns its digest. O(bytes).
    @discardableResult
    public func putBlob(
        _ bytes: [UInt8], expecting expected: Digest? = nil, placing: Placing = Store.placeAtOnce
    ) throws(StoreError) -> Digest {
        let digest = SHA256.digest(of: bytes.raw)
        if let expected, expected != digest {
            throw .digestMismatch(.blob, expected: expected, found: digest)
        }
        if hasBlob(digest) { return digest }
        let staging = try IngestDirectory.make(in: self)
        let what = "keep blob \(digest)"
        let target = StorePath.blob(digest)
        try doing(what) { () throws(Errno) in
            let file = try staging.create(StagedLayer.blobName)
            try file.writeAll(bytes)
            try file.sync()
            try makeFanOut(of: target, in: blobs)
        }
        try placing([(.blob, digest)]) { () throws(StoreError) in
            try doing(what) { () throws(Errno) in
                try place(StagedLayer.blobName, of: staging.descriptor, in: blobs, as: target)
            }
        }
        try doing(what) { () throws(Errno) in try syncFanOut(of: target, in: blobs) }
        return digest
    }
}
