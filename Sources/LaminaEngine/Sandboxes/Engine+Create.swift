// Making sandboxes: built under `ingest/`, renamed into place, then recorded.

import Foundation
import LaminaCatalog
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem

extension Engine {
    /// Makes a sandbox on the image that `imageName` means; `name` is made up when nil. New volumes
    /// of its redirects and of the image's `VOLUME`s are made with it.
    ///
    /// Throws `notFound` for an unknown image and a bind's missing source, `busy` for a name that is
    /// taken, `badInput` for one that is none and for the source of a bind that `allowSpecial` would
    /// permit, `usage` for redirects that cannot stand together.
    public func create(
        _ imageName: String, name: String? = nil, redirects: [RedirectRequest] = [],
        allowSpecial: Bool = false
    ) throws(LaminaError) -> Sandbox {
        if let name { try Self.checkName(name) }
        let lease = try lease()
        let image = try record(imageName)
        try makeChain(image.diffIDs, os: image.os)
        let shown = (try? ImageReference(imageName)).map(\.normalised)
        let chosen = if let name { name } else { try freeName() }
        var record = SandboxRecord(
            id: Self.newID(), name: chosen, image: image.id,
            imageName: shown.flatMap { image.references.contains($0) ? ImageReference.familiar($0) : nil }
                ?? imageName,
            chainID: image.chainID, created: Int64(Date().timeIntervalSince1970), diffIDs: image.diffIDs)
        let plan = try plan(redirects, for: image, allowSpecial: allowSpecial)
        record.redirects = plan.redirects
        let staging = try makeDirectory(of: record)
        do throws(LaminaError) {
            try add(&record, staging, volumes: plan.volumes, isNamed: name != nil)
        } catch {
            removeDirectory(of: record)
            throw error
        }
        _ = consume staging
        _ = consume lease
        return Sandbox(record, state: .idle, directory: sandboxDirectory(record.id))
    }

    /// Records a sandbox and its new volumes, and puts its directory in place with that. A name that was made up
    /// and is taken becomes another.
    private func add(
        _ record: inout SandboxRecord, _ staging: borrowing IngestDirectory, volumes: [VolumeRecord],
        isNamed: Bool
    ) throws(LaminaError) {
        // A new volume takes the image's files at its target when it is first mounted, by the mount's
        // server, which has the tree that they stand in.
        let staged = try Self.storing("volumes") { () throws(StoreError) in
            volumes.isEmpty ? nil : try store.stageVolumes(volumes.map(\.name))
        }
        for attempt in 0... {
            do throws(CatalogError) {
                let id = ByteString(record.id)
                try catalog.add(record, volumes: volumes) { name throws(Errno) in
                    try staged?.place(name)
                } placeSandbox: { () throws(Errno) in
                    let room = try store.root.openDirectory("sandboxes")
                    try staging.descriptor.rename("sandbox", to: room, id)
                    try room.syncDirectory()
                }
                return
            } catch .nameTaken where !isNamed && attempt < 10 {
                record.name = NameGenerator.name(attempt: attempt + 3)
            } catch {
                throw LaminaError(error)
            }
        }
    }

    /// Removes what a failed commit left in place; what cannot be removed now is for prune.
    private func removeDirectory(of sandbox: SandboxRecord) {
        guard let known = try? catalog.sandboxes(matching: sandbox.id), known.isEmpty else { return }
        try? store.root.openDirectory("sandboxes").removeTree(ByteString(sandbox.id))
    }

    static func newID() -> String {
        (0..<8).map { _ in
            let digits = String(UInt32.random(in: 0 ... .max), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private func freeName() throws(LaminaError) -> String {
        for attempt in 0..<16 {
            let name = NameGenerator.name(attempt: attempt)
            let taken = try catalogue { catalog throws(CatalogError) in try catalog.hasSandbox(named: name) }
            if !taken { return name }
        }
        throw LaminaError(.failure, "sandbox", "found no free name; give one with --name")
    }

    /// Builds `upper`, `work` and `layerchain.json`, durably, in the directory `sandbox` of what it returns.
    private func makeDirectory(of sandbox: SandboxRecord) throws(LaminaError) -> IngestDirectory {
        let tree = try chainTree(sandbox.chainID)
        let thing = ByteString("sandbox \(sandbox.id)")
        let staging = try Self.storing("\(thing)") { () throws(StoreError) in
            try IngestDirectory.make(in: store)
        }
        let (root, attributes) = try Self.indexing("chain \(sandbox.chainID)") { () throws(IndexError) in
            (try tree.node(Tree.root), try tree.extendedAttributes(Tree.root))
        }
        let chain = layerChain(sandbox.diffIDs)
        try Self.system(thing) { () throws(Errno) in
            try staging.descriptor.makeDirectory("sandbox", permissions: 0o700)
            let directory = try staging.descriptor.openDirectory("sandbox")
            let file = try directory.open("layerchain.json", O_WRONLY | O_CREAT | O_EXCL, permissions: 0o644)
            try file.writeAll(chain)
            try file.sync()
            try directory.makeDirectory("work", permissions: 0o700)
            try directory.makeDirectory("upper", permissions: 0o700)
            try directory.openDirectory("upper").become(root, attributes)
            try directory.syncDirectory()
            try store.root.makeDirectories("sandboxes", permissions: 0o700)
        }
        return staging
    }

    /// The directories of the parent layers, nearest first, as a JSON array.
    private func layerChain(_ diffIDs: [Digest]) -> [UInt8] {
        let layers = root.appending("layers")
        let paths = diffIDs.reversed().map { layers.appending(StorePath.layer($0)).description }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes]
        return Array((try? encoder.encode(paths)) ?? Data("[]".utf8)) + [UInt8(ascii: "\n")]
    }
}

extension Descriptor {
    /// Gives this directory the attributes of a tree's root, as far as the user may.
    fileprivate borrowing func become(
        _ node: TreeNode, _ attributes: [ExtendedAttribute]
    ) throws(Errno) {
        // A plain user's files are all his own; each says whose it is meant to be.
        let isOwn = geteuid() != 0
        if isOwn {
            let record = OverrideStat(uid: node.uid, gid: node.gid, permissions: node.mode)
            try setExtendedAttribute(OverrideStat.attribute, record.encoded.raw)
        } else {
            try setOwner(uid: node.uid, gid: node.gid)
        }
        for attribute in attributes {
            do throws(Errno) {
                try setExtendedAttribute(attribute.name, attribute.value.raw)
            } catch  where error == .notPermitted || error == Errno(rawValue: EOPNOTSUPP) {
                continue
            }
        }
        try setPermissions(isOwn ? node.mode & 0o777 | 0o700 : node.mode & 0o7777)
        try setTimes(atime: .set(node.mtime), mtime: .set(node.mtime))
    }
}
