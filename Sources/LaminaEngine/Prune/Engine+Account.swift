// Counting what the store has, for a catalogue that does not tell of all of it: one that was made before it did,
// or that lost a layer's list of objects.

import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// Counts everything, unless the catalogue tells of it. O(1), else O(content).
    func accountOnce() throws(LaminaError) {
        let isAccounted = try catalogue { catalog throws(CatalogError) in try catalog.isAccounted() }
        if !isAccounted { try account() }
    }

    /// Compares what the catalogue counts with what is on disk. O(content).
    ///
    /// Throws `failure` naming the first kind that differs. After a crash a prune may have to run first.
    public func verifyUsage() throws(LaminaError) {
        try accountOnce()
        let counted = try catalogue { catalog throws(CatalogError) in try catalog.totals() }
        for content in StoreContent.allCases {
            let found = try Self.storing("\(root)") { () throws(StoreError) in try store.inventory(content) }
            let size = found.reduce(Int64(0)) { $0 &+ Int64(clamping: $1.diskSize) }
            guard let known = counted[ContentKind(content)] else { continue }
            // A row may be there before its file, with no size.
            if known.diskSize == size { continue }
            throw LaminaError(
                .failure, "\(root)",
                """
                the catalogue counts \(known.diskSize) bytes of \(content.rawValue)s, on disk are \(size); run \
                lamina fsck
                """)
        }
    }

    /// Layers whose `splits` cannot be read. O(objects of all layers).
    func layersWithoutList() throws(LaminaError) -> [Digest] {
        try catalogue { catalog throws(CatalogError) in try catalog.layers() }.filter {
            objects(of: $0) == nil
        }
    }

    /// Has the catalogue tell of exactly what the rooms of the store hold. O(content), with the catalogue's write
    /// lock.
    ///
    /// Throws `failure` while a layer has lost its list of objects: counted for nobody, they would be pruned.
    func account() throws(LaminaError) {
        if let lost = try layersWithoutList().first {
            throw LaminaError(
                .failure, "layer \(lost)",
                "has lost its list of objects, so that nothing can be counted; run lamina fsck --repair")
        }
        try catalogue { catalog throws(CatalogError) in
            try catalog.account { (layers) throws(Errno) in
                var contents: [ContentRecord] = []
                for content in StoreContent.allCases {
                    do throws(StoreError) {
                        contents += try store.inventory(content).map {
                            ContentRecord(
                                ContentKind($0.content), $0.digest, diskSize: Int64(clamping: $0.diskSize))
                        }
                    } catch {
                        if case .system(_, let error) = error { throw error }
                        throw .ioError
                    }
                }
                var objects: [Digest: [Digest]] = [:]
                for layer in layers {
                    guard let list = self.objects(of: layer) else { throw .ioError }
                    objects[layer] = list
                }
                return (contents, objects)
            }
        }
    }
}
