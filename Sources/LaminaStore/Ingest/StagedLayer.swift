// StagedLayer owns a layer that is complete but not yet in the store.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// A layer whose files lie under `ingest/`. Dropping it removes every trace of it.
public struct StagedLayer: ~Copyable, Sendable {
    public let summary: LayerSummary
    /// The directory that becomes `layers/<diffID>`, for `index.erofs` to be written into.
    public let directory: Descriptor
    private let staging: IngestDirectory
    private let newObjects: [StagedObject]

    static let directoryName: ByteString = "layer"
    static let blobName: ByteString = "blob"

    init(
        _ summary: LayerSummary, directory: consuming Descriptor, staging: consuming IngestDirectory,
        newObjects: [StagedObject]
    ) {
        self.summary = summary
        self.directory = directory
        self.staging = staging
        self.newObjects = newObjects
    }

    /// Makes the layer durable and visible: all data, then the names, objects before the
    /// layer that needs them, then the directories; two `syncfs(2)`, whatever the number of
    /// files. What is in the store already stays as it is, so that publishing one layer
    /// twice, or in two processes at once, keeps one copy. When it fails midway, only
    /// unreferenced content can remain.
    /// - Parameter replacing: whether a layer that is there is damaged, and gives its place.
    public consuming func publish(
        replacing: Bool = false, placing: Placing = Store.placeAtOnce
    ) throws(StoreError) {
        let store = staging.store
        try makeFanOuts()
        try store.sync()
        try placeObjects(placing)
        let diffID = summary.diffID
        var contents = [(StoreContent.layer, diffID)]
        if summary.blobKept { contents.append((.blob, summary.blobDigest)) }
        try placing(contents) { () throws(StoreError) in
            if summary.blobKept {
                let digest = summary.blobDigest
                try place(Self.blobName, in: store.blobs, as: StorePath.blob(digest), .blob, digest)
            }
            try place(
                Self.directoryName, in: store.layers, as: StorePath.layer(diffID), .layer, diffID,
                replacing: replacing)
        }
        try store.sync()
    }

    /// Objects that are placed at once: as many as take a few milliseconds.
    private static let batchSize = 256

    private borrowing func placeObjects(_ placing: Placing) throws(StoreError) {
        let store = staging.store
        let new = Dictionary(newObjects.map { ($0.digest, $0.size) }) { first, _ in first }
        let all = summary.objects
        for start in stride(from: 0, to: all.count, by: Self.batchSize) {
            let batch = all[start..<min(start + Self.batchSize, all.count)]
            try placing(batch.map { (.object, $0) }) { () throws(StoreError) in
                for digest in batch {
                    if let size = new[digest] {
                        try place(
                            ByteString(digest.hex), in: store.objects, as: StorePath.object(digest), .object,
                            digest)
                        store.objectSizes.add(digest, size: size)
                    }
                    if store.hasObject(digest) { continue }
                    // It was met, and lost its last reference since.
                    let size = try doing("give back object \(digest)") { () throws(Errno) in
                        try store.secure(.object, digest)
                    }
                    if size == nil { throw .missing(.object, digest) }
                }
            }
        }
    }

    /// Directories take space, and a full disk has to be met before the first rename.
    private borrowing func makeFanOuts() throws(StoreError) {
        let store = staging.store
        do throws(Errno) {
            for object in newObjects {
                try store.makeFanOut(of: StorePath.object(object.digest), in: store.objects)
            }
            if summary.blobKept {
                try store.makeFanOut(of: StorePath.blob(summary.blobDigest), in: store.blobs)
            }
        } catch {
            throw .system("make directories for layer \(summary.diffID)", error)
        }
    }

    private borrowing func place(
        _ name: ByteString, in room: borrowing Descriptor, as target: ByteString, _ content: StoreContent,
        _ digest: Digest, replacing: Bool = false
    ) throws(StoreError) {
        do throws(Errno) {
            try staging.store.place(
                name, of: staging.descriptor, in: room, as: target, replacing: replacing)
        } catch {
            throw .system("put \(content.rawValue) \(digest) in its place", error)
        }
    }
}
