// Removing what processes left that are gone.

import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// Removes unfinished work of processes that are gone, unless somebody has come to need it, and calls `removed`
    /// for each directory; with `dryRun` it only says which. O(entries).
    ///
    /// A prune that was killed while it dropped blobs, and a removal of a volume, may have taken out of its place what
    /// the catalogue still tells of: the last transaction never was. That goes back first.
    func removeLeftovers(
        dryRun: Bool = false, _ removed: (IngestLeftover) -> Void = { _ in }
    ) throws(LaminaError) {
        let name = "\(root)"
        // One listing for both: what a second one had on top would go without having been asked.
        for leftover in try Self.storing(name, { () throws(StoreError) in try store.leftovers() }) {
            if !dryRun {
                try giveBack(blobsOf: leftover)
                try giveBack(volumesOf: leftover)
            }
            let isGone = try Self.storing(name) { () throws(StoreError) in
                dryRun ? true : try store.remove(leftover)
            }
            if isGone { removed(leftover) }
        }
    }

    private func giveBack(volumesOf leftover: IngestLeftover) throws(LaminaError) {
        let names = try Self.storing("\(root)") { () throws(StoreError) in
            try store.discardedVolumes(of: leftover.name)
        }
        if names.isEmpty { return }
        try catalogue { catalog throws(CatalogError) in
            try catalog.keep(volumes: names) { (name) throws(Errno) in
                try store.giveBack(volume: name, of: leftover.name)
            }
        }
    }

    /// A volume that is to be used gets its place back, if its removal ended early.
    func findVolume(_ name: String) throws(LaminaError) {
        let directory = root.appending(VolumePath.data(of: name))
        if (try? FileStatus.of(directory)) == nil { try removeLeftovers() }
    }

    private func giveBack(blobsOf leftover: IngestLeftover) throws(LaminaError) {
        let blobs = try Self.storing("\(root)") { () throws(StoreError) in
            try store.unendedBlobs(of: leftover.name)
        }
        if blobs.isEmpty { return }
        try whileLeased { () throws(LaminaError) in
            try catalogue { catalog throws(CatalogError) in
                try catalog.keep(blobs) { (blob) throws(Errno) in _ = try store.secure(.blob, blob) }
            }
        }
    }
}
