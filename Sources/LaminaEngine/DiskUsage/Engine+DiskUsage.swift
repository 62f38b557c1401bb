// Measuring a store: content by what the catalogue counted with each change, sandboxes and volumes, which
// containers write past it, by a walk.

import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// What the store takes. O(images + layers + objects of the layers in use or not, whichever are fewer
    /// + files of sandboxes and volumes).
    public func diskUsage() throws(LaminaError) -> DiskUsage {
        try accountOnce()
        let known = try catalogue { catalog throws(CatalogError) in try catalog.usage() }
        var usage = DiskUsage()
        try addContent(known, to: &usage)
        for leftover in try Self.storing("\(root)", { () throws(StoreError) in try store.leftovers() }) {
            usage.cache.total += 1
            usage.cache.size &+= Int64(clamping: leftover.diskSize)
        }
        usage.cache.reclaimable = usage.cache.size
        let details = try diskUsageOfData()
        for sandbox in details.sandboxes { usage.sandboxes.add(sandbox) }
        for volume in details.volumes { usage.volumes.add(volume) }
        return usage
    }

    private func addContent(_ known: CatalogUsage, to usage: inout DiskUsage) throws(LaminaError) {
        let referenced = try objectSize(of: known, \.isReferenced)
        let active = try objectSize(of: known, \.isActive)
        func sum(_ layers: [LayerUsage]) -> Int64 { layers.reduce(0) { $0 &+ $1.diskSize } }
        let needed =
            sum(known.layers.filter(\.isReferenced)) &+ known.blobs.referenced
            &+ known.chains.referenced &+ referenced
        let inUse =
            sum(known.layers.filter(\.isActive)) &+ known.blobs.active &+ known.chains.active &+ active
        let all =
            sum(known.layers) &+ known.forgottenLayers &+ known.blobs.total &+ known.chains.total
            &+ known.objects
        usage.images = DiskUsage.Row(
            total: known.images, active: known.activeImages, size: needed, reclaimable: needed &- inUse)
        usage.cache.size = all &- needed
    }

    /// Bytes on disk of the objects that the layers of a kind have; an object of several counts once. Reads what
    /// is less: the lists of these layers, or those of the others.
    private func objectSize(
        of known: CatalogUsage, _ isMeant: (LayerUsage) -> Bool
    ) throws(LaminaError) -> Int64 {
        let meant = known.layers.filter(isMeant)
        if meant.count * 2 <= known.layers.count {
            let objects = Set(meant.flatMap { self.objects(of: $0.diffID) ?? [] })
            let sizes = try catalogue { catalog throws(CatalogError) in try catalog.objects(objects) }
            return sizes.values.reduce(0) { $0 &+ $1.diskSize }
        }
        // What only others have is not theirs.
        var counts: [Digest: Int] = [:]
        for layer in known.layers where !isMeant(layer) {
            for object in self.objects(of: layer.diffID) ?? [] { counts[object, default: 0] += 1 }
        }
        let sizes = try catalogue { catalog throws(CatalogError) in try catalog.objects(counts.keys) }
        var foreign: Int64 = 0
        for (digest, object) in sizes where counts[digest] == object.layers { foreign &+= object.diskSize }
        let unused = try catalogue { catalog throws(CatalogError) in try catalog.unusedObjectSize() }
        return known.objects &- foreign &- unused
    }

    /// What each sandbox and each volume takes. O(their files).
    private func diskUsageOfData() throws(LaminaError) -> DetailedDiskUsage {
        var result = DetailedDiskUsage()
        for sandbox in try sandboxes() {
            result.sandboxes.append(
                SizedThing(
                    name: sandbox.id, title: sandbox.name, links: sandbox.state == .idle ? 0 : 1,
                    size: try sandboxDiskSize(sandbox)))
        }
        for volume in try volumes() {
            let size = try Self.storing(volume.name) { () throws(StoreError) in
                try store.volumeDiskSize(volume.name)
            }
            result.volumes.append(
                SizedThing(
                    name: volume.name, title: volume.name, links: volume.sandboxes.count, size: size))
        }
        return result
    }

    /// What each thing takes. O(objects of all layers + files of sandboxes and volumes).
    public func detailedDiskUsage() throws(LaminaError) -> DetailedDiskUsage {
        try accountOnce()
        var result = try diskUsageOfData()
        let images = try images()
        var contents: [[ContentRecord]] = []
        for image in images { contents.append(try content(of: image)) }
        var users: [ContentRecord: Int] = [:]
        for content in contents.joined() { users[content, default: 0] += 1 }
        for (image, content) in zip(images, contents) {
            let shared = content.filter { users[$0] != 1 }.reduce(0) { $0 &+ $1.diskSize }
            let all = content.reduce(0) { $0 &+ $1.diskSize }
            result.images.append(ImageUsage(image: image, shared: shared, unique: all &- shared))
        }
        return result
    }

    /// Everything that an image needs, each thing once, with its bytes on disk.
    private func content(of image: Image) throws(LaminaError) -> [ContentRecord] {
        let objects = Set(image.diffIDs.flatMap { self.objects(of: $0) ?? [] })
        return try catalogue { catalog throws(CatalogError) in
            let sizes = try catalog.objects(objects)
            return try catalog.content(ofImage: image.id)
                + sizes.map { ContentRecord(.object, $0.key, diskSize: $0.value.diskSize) }
        }
    }
}

extension DiskUsage.Row {
    fileprivate mutating func add(_ thing: SizedThing) {
        total += 1
        active += thing.links > 0 ? 1 : 0
        size &+= thing.size
        if thing.links == 0 { reclaimable &+= thing.size }
    }
}
