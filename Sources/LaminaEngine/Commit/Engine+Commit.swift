// Making an image of a sandbox: what it changed becomes a layer over the layers that it stands on.

import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaStore

extension Engine {
    /// Makes an image of a sandbox and names it `reference`; returns its id. The sandbox stays as it is, and
    /// stands on its old layers. What volumes and binds hold is not in it. O(what the sandbox changed).
    ///
    /// The layer is decided by what `upper` holds: the same names, attributes, times and bytes give the same
    /// diffID, whatever the time, the machine and the compression.
    ///
    /// A sandbox may be mounted and written to meanwhile: its names are those of one instant, at which what a
    /// program has synced is in its files, and the sandbox goes on. Names and attributes cannot be changed for as
    /// long as the listing takes, at most two seconds; then, after three attempts, it throws `busy`.
    ///
    /// Throws `busy` for a sandbox whose server died, `usage` for a wrong change, `interrupted` when the options'
    /// cancellation says so; then no image is visible, and prune removes what was written.
    @discardableResult
    public func commit(
        _ name: String, as reference: String? = nil, _ options: CommitOptions = CommitOptions()
    ) throws(LaminaError) -> Digest {
        var changes: [ConfigChange] = []
        for text in options.changes { changes.append(try ConfigChange(text)) }
        let target = try reference.map { text throws(LaminaError) in try newName(text) }
        let lock = try SandboxLock(sandbox(name), called: name)
        let sandbox = try sandbox(name)
        guard sandbox.chainID == ChainID.of(sandbox.diffIDs) else {
            throw LaminaError(
                .failure, name,
                "is one of a Windows image; Lamina makes no layers for Windows, only tars: lamina export")
        }
        let lease = try lease()
        let claims = try claims()
        // The sandbox may be removed before the image has its layers.
        try catalogue { catalog throws(CatalogError) in
            try catalog.claim(sandbox.diffIDs, owner: claims.owner)
        }
        let layer = try whilePaused(sandbox, called: name, if: options.pauses) { () throws(LaminaError) in
            try makeLayer(of: sandbox, called: name, claims.owner, options)
        }
        lock.end()
        let image = try makeImage(on: sandbox, layer, changes, target, claims.owner, options)
        _ = consume lease
        return image.id
    }

    private func makeLayer(
        of sandbox: Sandbox, called name: String, _ owner: String, _ options: CommitOptions
    ) throws(LaminaError) -> NewLayer {
        let tree = try SandboxTree(sandbox, of: self)
        let failure = LayerTarFailure()
        let items = try layerItems(of: tree, sandbox, called: name, .layer)
        let source = LayerTarSource(items, of: tree, failure: failure)
        do throws(LaminaError) {
            return try makeLayer(
                source, options.compression, options.cancellation, owner: owner,
                named: "layer of sandbox \(name)")
        } catch {
            throw failure.reason ?? error
        }
    }

    private func makeImage(
        on sandbox: Sandbox, _ layer: NewLayer, _ changes: [ConfigChange], _ target: String?,
        _ owner: String, _ options: CommitOptions
    ) throws(LaminaError) -> ImageRecord {
        let base = try catalogue { catalog throws(CatalogError) in try catalog.image(id: sandbox.imageID) }
        let now = RFC3339.now()
        var config: NewConfig
        var layers: [[String: Any]]
        if let base {
            let bytes = try Self.storing("config \(base.id)") { () throws(StoreError) in
                try store.readBlob(base.id)
            }
            config = try NewConfig(
                base: bytes, layerCount: base.diffIDs.count, created: now, named: "config \(base.id)")
            layers = try layerDescriptors(of: base)
        } else {
            // Its image was removed by force: the layers are all that is left of it.
            config = NewConfig(platform: .host, created: now)
            for diffID in sandbox.diffIDs {
                config.add(diffID, createdBy: "", author: nil, message: nil)
            }
            layers = try plainDescriptors(of: sandbox.diffIDs)
        }
        config.add(
            layer.summary.diffID, createdBy: config.command, author: options.author,
            message: options.message)
        config.apply(changes)
        layers.append(layer.descriptor)
        return try record(
            config: config.bytes, layers: layers, references: target.map { [$0] } ?? [], owner: owner)
    }
}
