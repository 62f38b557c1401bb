// Pruner owns the order of a prune's steps in the catalogue, the same for one that counts and for a rehearsal.

import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

/// One prune of what the catalogue knows.
struct Pruner {
    private let engine: Engine
    private let steps: CatalogPruning
    private let options: PruneOptions
    private(set) var report: PruneReport
    /// Bytes on disk of what left its place.
    private(set) var retired: Int64 = 0

    init(_ engine: Engine, _ steps: CatalogPruning, _ options: PruneOptions, _ report: PruneReport) {
        self.engine = engine
        self.steps = steps
        self.options = options
        self.report = report
    }

    /// - Parameters:
    ///   - retire: takes content out of its place.
    ///   - retireSandbox: takes the directory of a sandbox that there is not.
    mutating func run(
        retire: (ContentRecord) throws(Errno) -> Void, retireSandbox: (String) throws(Errno) -> Void
    ) throws(LaminaError) {
        if options.kinds.contains(.image) { try removeImages(retire) }
        if options.dropBlobs { try dropBlobs(retire) }
        // An image is little more than what it needs.
        if options.kinds.contains(.image) || options.kinds.contains(.cache) { try removeContent(retire) }
        if options.kinds.contains(.cache) { try removeLostSandboxes(retireSandbox) }
    }

    private mutating func removeImages(
        _ retire: (ContentRecord) throws(Errno) -> Void
    ) throws(LaminaError) {
        for image in try catalogue({ () throws(CatalogError) in try steps.unusedImages() }) {
            if let limit = options.keepStorage, try storage() <= limit { return }
            guard options.all || options.keepStorage != nil || image.references.isEmpty else { continue }
            guard try accepts(image) else { continue }
            guard try catalogue({ () throws(CatalogError) in try steps.remove(image) }) else { continue }
            report.untagged += image.references
            report.items.append(PruneReport.Item(kind: .image, name: "\(image.id)", size: 0))
            // What it took is known when it is gone.
            if options.keepStorage != nil { try removeContent(retire) }
        }
    }

    private func accepts(_ image: UnusedImage) throws(LaminaError) -> Bool {
        let filter = options.filter
        let created = image.created.flatMap(RFC3339.seconds) ?? image.loaded
        guard !filter.labels.isEmpty || !filter.withoutLabels.isEmpty else {
            return filter.accepts(created: created, labels: [:])
        }
        do throws(LaminaError) {
            return filter.accepts(created: created, labels: try engine.labels(of: image.id))
        } catch {
            // Another prune may have taken the image, and its config, since it was listed.
            let isThere =
                try catalogue { () throws(CatalogError) in try engine.catalog.image(id: image.id) } != nil
            if isThere { throw error }
            return false
        }
    }

    /// Bytes on disk of all content.
    private func storage() throws(LaminaError) -> Int64 {
        try catalogue { () throws(CatalogError) in try steps.totals() }
            .values.reduce(0) { $0 &+ $1.diskSize }
    }

    private mutating func removeContent(
        _ retire: (ContentRecord) throws(Errno) -> Void
    ) throws(LaminaError) {
        try catalogue { () throws(CatalogError) in
            try steps.endClaims { !engine.store.isAtWork(ByteString($0)) }
            while try steps.forgetLayers(objects: { engine.objects(of: $0) }) {}
            try steps.forgetAbsentBlobs { (blob) throws(Errno) in
                try engine.store.diskSize(of: .blob, blob) != nil
            }
        }
        for kind in ContentKind.allCases {
            while true {
                let gone = try catalogue { () throws(CatalogError) in
                    try steps.forgetContent(kind, retire: retire)
                }
                if gone.isEmpty { break }
                note(gone)
            }
        }
    }

    private mutating func note(_ contents: [ContentRecord]) {
        for content in contents {
            guard let kind = PruneReport.Kind(rawValue: content.kind.rawValue) else { continue }
            report.items.append(
                PruneReport.Item(kind: kind, name: "\(content.digest)", size: content.diskSize))
            retired &+= content.diskSize
        }
    }

    /// Blobs of layers from which the store can give the tar back.
    private mutating func dropBlobs(
        _ retire: (ContentRecord) throws(Errno) -> Void
    ) throws(LaminaError) {
        while true {
            let gone = try catalogue { () throws(CatalogError) in try steps.dropLayerBlobs(retire: retire) }
            if gone.isEmpty { return }
            note(gone)
        }
    }

    /// Directories of sandboxes, and empty ones of volumes, that were being made or removed when their process
    /// ended. Data in `volumes/` stays, also where the catalogue names no volume: it may be all that is left.
    private mutating func removeLostSandboxes(
        _ retire: (String) throws(Errno) -> Void
    ) throws(LaminaError) {
        let engine = engine
        let isReal = !options.dryRun
        let found = try catalogue { () throws(CatalogError) in
            try steps.besides { (sandboxes, volumes) throws(Errno) in
                var items: [PruneReport.Item] = []
                for (id, size) in try engine.lostSandboxes(except: sandboxes) {
                    try retire(id)
                    items.append(PruneReport.Item(kind: .sandbox, name: id, size: size))
                }
                for name in try engine.store.emptyVolumes(except: volumes, remove: isReal) {
                    items.append(PruneReport.Item(kind: .leftover, name: "volumes/\(name)", size: 0))
                }
                return items
            }
        }
        for item in found where item.kind == .sandbox { retired &+= item.size }
        report.items += found
    }

    private func catalogue<Value>(
        _ body: () throws(CatalogError) -> Value
    ) throws(LaminaError) -> Value {
        do throws(CatalogError) { return try body() } catch { throw LaminaError(error) }
    }
}
