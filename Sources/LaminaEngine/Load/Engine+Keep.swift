// Putting content into the store and the catalogue so that a prune may run at the same time: rows before
// files, claims on layers that no image has yet, and a last look within the transaction that refers to them.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// The claims of one piece of work on layers. They end with it, or with its process.
struct LayerClaims: ~Copyable {
    /// The name of the directory whose lock says that the work goes on.
    let owner: String
    private let directory: IngestDirectory
    private let catalog: Catalog

    init(_ directory: consuming IngestDirectory, in catalog: Catalog) {
        owner = directory.name.description
        self.directory = directory
        self.catalog = catalog
    }

    deinit {
        // What stays ends with the lock.
        try? catalog.endClaims(of: owner)
    }
}

extension Engine {
    /// The store's lease, which nobody ever has to wait for.
    func lease() throws(LaminaError) -> StoreLease {
        try Self.storing(root.description) { () throws(StoreError) in try store.lease() }
    }

    /// Runs `body` with a lease.
    func whileLeased<Value>(_ body: () throws(LaminaError) -> Value) throws(LaminaError) -> Value {
        let lease = try lease()
        let value = try body()
        _ = consume lease
        return value
    }

    /// Somebody who can keep layers from being pruned.
    func claims() throws(LaminaError) -> LayerClaims {
        let directory = try Self.storing(root.description) { () throws(StoreError) in
            try IngestDirectory.make(in: store)
        }
        return LayerClaims(directory, in: catalog)
    }

    /// Puts a layer into the store for good and records it, as one that no image refers to yet.
    func publish(
        _ layer: consuming StagedLayer, owner: String, named name: String
    ) throws(LaminaError) {
        let summary = layer.summary
        var contents = [ContentRecord(.layer, summary.diffID)]
        if summary.blobKept { contents.append(ContentRecord(.blob, summary.blobDigest)) }
        contents += summary.objects.map { ContentRecord(.object, $0) }
        do throws(StoreError) { try layer.publish(placing: place) } catch {
            throw LaminaError(error, about: name)
        }
        try catalogue { catalog throws(CatalogError) in
            try catalog.add(LayerRecord(summary), of: contents, owner: owner) { () throws(Errno) in
                try store.secure(summary)
            }
        }
    }

    /// Keeps a document.
    func keepBlob(_ bytes: [UInt8], _ digest: Digest) throws(LaminaError) {
        try Self.storing("blob \(digest)") { () throws(StoreError) in
            _ = try store.putBlob(bytes, expecting: digest, placing: place)
        }
    }

    /// Gives content its place where the catalogue tells of it.
    func place(
        _ contents: [(StoreContent, Digest)], _ place: () throws(StoreError) -> Void
    ) throws(StoreError) {
        var failure: StoreError?
        do throws(CatalogError) {
            try catalog.whileKnown(contents.map { ContentRecord(ContentKind($0.0), $0.1) }) {
                do throws(StoreError) { try place() } catch { failure = error }
            }
        } catch {
            let reason: Errno =
                switch error {
                case .noSpace: .noSpace
                case .system(let error): error
                case .busy: .resourceBusy
                default: .ioError
                }
            throw .system("tell the catalogue of content", reason)
        }
        if let failure { throw failure }
    }

    /// Makes images visible whose layers are claimed by `owner`. `contents` must be there, `blobs` may have been
    /// dropped.
    func add(
        _ images: [(image: ImageRecord, manifest: ManifestRecord?, references: [String])],
        _ contents: [(StoreContent, Digest)], blobs: [Digest], _ owner: String
    ) throws(LaminaError) {
        let known =
            contents.map { ContentRecord(ContentKind($0.0), $0.1) }
            + blobs.filter { store.canRead(blob: $0) }.map { ContentRecord(.blob, $0) }
        try catalogue { catalog throws(CatalogError) in
            try catalog.add(images, knowing: known, owner: owner) { () throws(Errno) in
                var found: [ContentRecord] = []
                for (content, digest) in contents { found.append(try store.secured(content, digest)) }
                for blob in blobs {
                    guard let size = try store.secure(.blob, blob) else { continue }
                    found.append(ContentRecord(.blob, blob, diskSize: size))
                }
                return found
            }
        }
    }
}

extension ContentKind {
    init(_ content: StoreContent) {
        self =
            switch content {
            case .blob: .blob
            case .object: .object
            case .layer: .layer
            case .chain: .chain
            }
    }

    var content: StoreContent {
        switch self {
        case .blob: .blob
        case .object: .object
        case .layer: .layer
        case .chain: .chain
        }
    }
}

extension Store {
    /// Content that is in its place for sure.
    /// - Throws: `ENOENT` when it is nowhere.
    fileprivate func secured(_ content: StoreContent, _ digest: Digest) throws(Errno) -> ContentRecord {
        guard let size = try secure(content, digest) else { throw .noSuchFileOrDirectory }
        return ContentRecord(ContentKind(content), digest, diskSize: size)
    }

    /// All that a published layer needs, in its place for sure.
    fileprivate func secure(_ summary: LayerSummary) throws(Errno) -> LayerContents {
        var contents = LayerContents(files: [try secured(.layer, summary.diffID)], objects: [])
        if summary.blobKept { contents.files.append(try secured(.blob, summary.blobDigest)) }
        contents.objects.reserveCapacity(summary.objects.count)
        for object in summary.objects { contents.objects.append(try secured(.object, object)) }
        return contents
    }
}
