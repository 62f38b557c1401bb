// Making content anew from what it is made of, to compare it or to put it in the place of what is damaged.

import Glibc
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem

extension Engine {
    /// A layer made anew from its own tar. Objects that are in their place are compared and not written.
    func restage(_ diffID: Digest) throws(LaminaError) -> StagedLayer {
        let name = "layer \(diffID)"
        let reader = try Self.storing(name) { () throws(StoreError) in try LayerReader(store, diffID) }
        var options = IngestOptions()
        options.keepBlob = false
        return try store.stage(
            reader, expecting: LayerExpectation(compression: Compression.none, diffID: diffID), options,
            named: name)
    }

    /// A layer made anew from a blob that the store has.
    func restage(_ diffID: Digest, from blob: Digest) throws(LaminaError) -> StagedLayer {
        let name = "layer \(diffID)"
        let file = try Self.storing(name) { () throws(StoreError) in try store.openBlob(blob) }
        var options = IngestOptions()
        options.keepBlob = false
        return try store.stage(
            DescriptorSource(file), expecting: LayerExpectation(blobDigest: blob, diffID: diffID), options,
            named: name)
    }

    /// Whether a file of a staged layer is that of the stored one.
    static func isSame(
        _ directory: borrowing Descriptor, _ file: ByteString, _ store: Store, _ diffID: Digest
    ) throws(Errno) -> Bool {
        let stored: Descriptor
        do throws(StoreError) { stored = try store.openLayer(diffID, file) } catch { return false }
        return try isSame(directory.open(file, O_RDONLY), stored)
    }

    static func isSame(_ one: borrowing Descriptor, _ other: borrowing Descriptor) throws(Errno) -> Bool {
        guard try one.status().size == other.status().size else { return false }
        let count = 1 << 20
        var offset: Int64 = 0
        while true {
            let left = try one.readBytes(at: offset, count: count)
            guard left == (try other.readBytes(at: offset, count: count)) else { return false }
            if left.isEmpty { return true }
            offset += Int64(left.count)
        }
    }

    /// Whether a chain's file is what its layers give.
    func isWhole(chain chainID: Digest, of diffIDs: [Digest]) throws(LaminaError) -> Bool {
        let name = "chain \(chainID)"
        let staged = try stageChain(chainID, diffIDs)
        let stored = try Self.storing(name) { () throws(StoreError) in try store.openChain(chainID) }
        return try Self.system(ByteString(name)) { () throws(Errno) in try Self.isSame(staged.file, stored) }
    }

    /// The merged tree of layers, not in its place yet. The chain's name says whose eyes it is for.
    func stageChain(_ chainID: Digest, _ diffIDs: [Digest]) throws(LaminaError) -> StagedChain {
        let name = "chain \(chainID)"
        var trees: [SharedTree] = []
        for diffID in diffIDs {
            try refuseDamagedIndex(of: diffID)
            trees.append(SharedTree(try layerTree(diffID)))
        }
        let staged = try Self.storing(name) { () throws(StoreError) in try store.stageChain(chainID) }
        try Self.indexing(name) { () throws(IndexError) in
            let top = chainID == ChainID.of(diffIDs) ? ByteString() : WindowsLayers.root
            _ = try ChainMerge.write(trees, from: top, to: staged.file)
        }
        try Self.seal(staged.file, name)
        return staged
    }

    /// What is wrong in an index would be right in a chain.
    private func refuseDamagedIndex(of diffID: Digest) throws(LaminaError) {
        let name = "index of layer \(diffID)"
        let file = try Self.storing(name) { () throws(StoreError) in
            try store.openLayer(diffID, StorePath.index)
        }
        let state = try Self.system(ByteString(name)) { () throws(Errno) in try FileSeal.state(of: file) }
        guard state != .damaged else {
            throw LaminaError(.badInput, name, "is damaged; run lamina fsck --deep --repair")
        }
    }

    /// Gives a file its checksum, by which a mount can verify it.
    static func seal(_ file: borrowing Descriptor, _ name: String) throws(LaminaError) {
        do throws(Errno) { try FileSeal(of: file).attach(to: file) } catch {
            throw LaminaError(ByteString(name), error)
        }
    }

    /// The digest and the number of a file's bytes.
    static func digest(of file: borrowing Descriptor) throws(StoreError) -> (Digest, Int64) {
        var hash = SHA256()
        var offset: Int64 = 0
        do throws(Errno) {
            while true {
                let bytes = try file.readBytes(at: offset, count: 1 << 20)
                if bytes.isEmpty { return (hash.finish(), offset) }
                hash.update(bytes.raw)
                offset += Int64(bytes.count)
            }
        } catch {
            throw .system("read it", error)
        }
    }
}
