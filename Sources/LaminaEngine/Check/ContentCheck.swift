// ContentCheck owns a pass over all content that is referred to: is it there, and, in a deep one, is it what its
// name says? It takes a lease for each thing and none for all: a slow one must not keep a prune's bytes for hours.

import Glibc
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem

/// What is damaged or missing.
struct StoreDamage {
    var objects: Set<Digest> = []
    var layers: Set<Digest> = []
    /// Chains with their layers.
    var chains: [Digest: [Digest]] = [:]
    var blobs: Set<Digest> = []

    var isEmpty: Bool { objects.isEmpty && layers.isEmpty && chains.isEmpty && blobs.isEmpty }
}

/// One check of the content.
struct ContentCheck {
    private let engine: Engine
    private let options: CheckOptions
    private(set) var problems: [StoreProblem] = []
    private(set) var damage = StoreDamage()
    private var pace: Pace

    init(_ engine: Engine, _ options: CheckOptions) throws(LaminaError) {
        self.engine = engine
        self.options = options
        pace = Pace(bytesPerSecond: options.rate)
    }

    mutating func run() throws(LaminaError) {
        let images = try engine.catalogue { catalog throws(CatalogError) in try catalog.images() }
        let diffIDs = try engine.catalogue { catalog throws(CatalogError) in try catalog.layers() }
        try checkBlobs(of: images)
        var seen: Set<Digest> = []
        for diffID in diffIDs.sorted(by: { $0.hex < $1.hex }) {
            try engine.whileLeased { () throws(LaminaError) in try check(layer: diffID, &seen) }
        }
        var chains: [Digest: [Digest]] = [:]
        for image in images { chains[image.chainID] = image.diffIDs }
        for sandbox in try engine.sandboxes() { chains[sandbox.chainID] = sandbox.diffIDs }
        for (chainID, diffIDs) in chains.sorted(by: { $0.key.hex < $1.key.hex }) {
            try engine.whileLeased { () throws(LaminaError) in check(chain: chainID, diffIDs) }
        }
    }

    private mutating func note(_ thing: String, _ reason: String) {
        problems.append(StoreProblem(thing, reason))
    }

    // MARK: Blobs

    private mutating func checkBlobs(of images: [ImageRecord]) throws(LaminaError) {
        for image in images {
            for blob in [image.id] + image.manifests.map(\.digest) where !engine.store.hasBlob(blob) {
                note("blob \(blob)", "is missing; image \(image.references.first ?? "\(image.id)") needs it")
                damage.blobs.insert(blob)
            }
        }
        guard options.deep else { return }
        let all = try Engine.storing("\(engine.root)") { () throws(StoreError) in
            try engine.store.inventory(.blob)
        }
        for blob in all.map(\.digest).sorted(by: { $0.hex < $1.hex }) {
            guard let reason = mismatch(of: .blob, blob) else { continue }
            note("blob \(blob)", reason)
            damage.blobs.insert(blob)
        }
    }

    /// Why content is not what its name says; nil when it is, or has gone meanwhile.
    private mutating func mismatch(of content: StoreContent, _ digest: Digest) -> String? {
        do throws(StoreError) {
            let file =
                content == .blob ? try engine.store.openBlob(digest) : try engine.store.openObject(digest)
            let (found, size) = try Engine.digest(of: file)
            pace.spent(size)
            return found == digest ? nil : "its bytes have the digest \(found)"
        } catch {
            if case .missing = error { return nil }
            return "\(error)"
        }
    }

    // MARK: Layers

    private mutating func check(layer diffID: Digest, _ seen: inout Set<Digest>) throws(LaminaError) {
        // One that was pruned meanwhile is none any more; the lease keeps what is there now.
        let record = try engine.catalogue { catalog throws(CatalogError) in try catalog.layer(diffID) }
        guard record != nil else { return }
        let objects: [Digest]
        do throws(StoreError) {
            objects = Array(Set(try engine.store.readSplits(diffID).objects))
        } catch {
            note("layer \(diffID)", "\(error)")
            damage.layers.insert(diffID)
            return
        }
        var isWhole = true
        for object in objects.sorted(by: { $0.hex < $1.hex }) {
            let isNew = seen.insert(object).inserted
            if isNew, let reason = problem(with: object) {
                note("object \(object)", reason)
                damage.objects.insert(object)
            }
            if damage.objects.contains(object) { isWhole = false }
        }
        if let reason = isWhole ? problem(withLayer: diffID) : nil {
            note("layer \(diffID)", reason)
            damage.layers.insert(diffID)
        }
    }

    private mutating func problem(with object: Digest) -> String? {
        guard engine.store.hasObject(object) else { return "is missing" }
        return options.deep ? mismatch(of: .object, object) : nil
    }

    /// A deep check makes the layer anew from itself and compares the files.
    private mutating func problem(withLayer diffID: Digest) -> String? {
        for file in [StorePath.stream, StorePath.index] {
            do throws(StoreError) {
                _ = try engine.store.openLayer(diffID, file)
            } catch {
                return "\(file) is missing"
            }
        }
        guard options.deep else { return nil }
        do throws(LaminaError) {
            let staged = try engine.restage(diffID)
            pace.spent(Int64(clamping: staged.summary.tarSize))
            for file in [StorePath.stream, StorePath.splits, StorePath.index] {
                let same = try Engine.system(file) { () throws(Errno) in
                    try Engine.isSame(staged.directory, file, engine.store, diffID)
                }
                if !same { return "\(file) is not what the layer gives" }
            }
            for name in [StorePath.stream, StorePath.index] {
                let file = try Engine.storing("\(name)") { () throws(StoreError) in
                    try engine.store.openLayer(diffID, name)
                }
                if let reason = try problem(withSealOf: file, "\(name)") { return reason }
            }
            return nil
        } catch {
            return error.message
        }
    }

    /// Looks at the checksum of a file whose bytes were just proven. One that was made before there were any gets its
    /// own with a repair.
    private func problem(
        withSealOf file: borrowing Descriptor, _ name: String
    ) throws(LaminaError) -> String? {
        switch try Engine.system(ByteString(name), { () throws(Errno) in try FileSeal.state(of: file) }) {
        case .whole: break
        case .damaged: return "the checksum of \(name) is not that of its bytes"
        case .missing: if options.repair { try Engine.seal(file, name) }
        }
        return nil
    }

    // MARK: Chains

    private mutating func check(chain chainID: Digest, _ diffIDs: [Digest]) {
        guard engine.store.hasChain(chainID) else {
            note("chain \(chainID)", "is missing")
            damage.chains[chainID] = diffIDs
            return
        }
        // Its layers' indexes have to be right first.
        guard options.deep, damage.layers.isDisjoint(with: diffIDs) else { return }
        do throws(LaminaError) {
            var reason: String? = "is not what its layers give"
            if try engine.isWhole(chain: chainID, of: diffIDs) {
                let file = try Engine.storing("chain") { () throws(StoreError) in
                    try engine.store.openChain(chainID)
                }
                reason = try problem(withSealOf: file, "it")
            }
            guard let reason else { return }
            note("chain \(chainID)", reason)
        } catch {
            note("chain \(chainID)", error.message)
        }
        damage.chains[chainID] = diffIDs
    }
}

/// Pace owns how fast a check reads.
struct Pace {
    private let bytesPerSecond: Int64?

    init(bytesPerSecond: Int64?) {
        self.bytesPerSecond = bytesPerSecond
    }

    /// Waits for as long as so many bytes are to take.
    func spent(_ bytes: Int64) {
        guard let bytesPerSecond, bytesPerSecond > 0, bytes > 0 else { return }
        let microseconds = Double(bytes) / Double(bytesPerSecond) * 1_000_000
        // In pieces, so that a signal is heard.
        var left = UInt64(min(microseconds, 3_600_000_000))
        while left > 0 {
            let piece = min(left, 500_000)
            usleep(UInt32(piece))
            left -= piece
        }
    }
}
