// OwnerTable owns what is known of owners while all files are gone through: who needs which content.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// Owners of content by digest. O(references) memory.
struct OwnerTable {
    private let engine: Engine
    private var images: [Digest: String] = [:]
    private var blobs: [Digest: Set<Digest>] = [:]
    private var layers: [Digest: Set<Digest>] = [:]
    private var chains: [Digest: Set<Digest>] = [:]
    private var objects: [Digest: Set<Digest>] = [:]
    private var sandboxesOfLayer: [Digest: Set<String>] = [:]
    private var sandboxesOfChain: [Digest: Set<String>] = [:]
    private(set) var sandboxes: [String: String] = [:]
    private(set) var volumes: [String: [String]] = [:]
    private var claims: [Digest: [String]] = [:]

    init(_ engine: Engine) throws(LaminaError) {
        self.engine = engine
        for image in try engine.catalogue({ catalog throws(CatalogError) in try catalog.images() }) {
            add(image)
        }
        for sandbox in try engine.sandboxes() {
            sandboxes[sandbox.id] = sandbox.name
            sandboxesOfChain[sandbox.chainID, default: []].insert(sandbox.name)
            for diffID in sandbox.diffIDs { sandboxesOfLayer[diffID, default: []].insert(sandbox.name) }
        }
        for volume in try engine.volumes() { volumes[volume.name] = volume.sandboxes }
        claims = try engine.catalogue { catalog throws(CatalogError) in try catalog.claims() }
        claims = claims.mapValues { $0.filter { engine.store.isAtWork(ByteString($0)) } }.filter {
            !$0.value.isEmpty
        }
        let known = try engine.catalogue { catalog throws(CatalogError) in try catalog.layers() }
        for diffID in known {
            for object in engine.objects(of: diffID) ?? [] { objects[object, default: []].insert(diffID) }
        }
    }

    private mutating func add(_ image: ImageRecord) {
        images[image.id] = image.references.first.map { ImageReference.familiar($0) } ?? "\(image.id)"
        blobs[image.id, default: []].insert(image.id)
        for manifest in image.manifests {
            blobs[manifest.digest, default: []].insert(image.id)
            for blob in manifest.blobs { blobs[blob, default: []].insert(image.id) }
        }
        for diffID in image.diffIDs { layers[diffID, default: []].insert(image.id) }
        chains[image.chainID, default: []].insert(image.id)
    }

    /// Who needs content of this digest.
    func owner(of content: StoreContent, _ digest: Digest) -> StoreOwner {
        switch content {
        case .blob: return owner(blobs[digest], [], "blob")
        case .chain: return owner(chains[digest], sandboxesOfChain[digest] ?? [], "chain")
        case .layer: return layerOwner([digest], "layer")
        case .object: return layerOwner(objects[digest] ?? [], "object")
        }
    }

    private func layerOwner(_ diffIDs: Set<Digest>, _ what: String) -> StoreOwner {
        var owners: Set<Digest> = []
        var users: Set<String> = []
        for diffID in diffIDs {
            owners.formUnion(layers[diffID] ?? [])
            users.formUnion(sandboxesOfLayer[diffID] ?? [])
        }
        let found = owner(owners, users, what)
        guard found.kind == .garbage else { return found }
        let workers = diffIDs.flatMap { claims[$0] ?? [] }
        guard let worker = workers.min() else { return found }
        return StoreOwner(.ingest, [worker], "\(what) that work in ingest/\(worker) relies on")
    }

    private func owner(_ images: Set<Digest>?, _ sandboxes: Set<String>, _ what: String) -> StoreOwner {
        let names = (images ?? []).compactMap { self.images[$0] }.sorted()
        if !names.isEmpty { return StoreOwner(.image, names, "\(what) of image \(Self.list(names))") }
        let users = sandboxes.sorted()
        if !users.isEmpty { return StoreOwner(.sandbox, users, "\(what) of sandbox \(Self.list(users))") }
        return StoreOwner(.garbage, [], "\(what) that nothing refers to")
    }

    static func list(_ names: [String]) -> String {
        names.count > 3
            ? names.prefix(3).joined(separator: ", ") + " and \(names.count - 3) more"
            : names.joined(separator: ", ")
    }
}
