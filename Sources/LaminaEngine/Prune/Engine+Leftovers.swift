// Removing what processes left that are gone.

import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// Removes unfinished work of processes that are gone, unless somebody has come to need it, and calls `removed`
    /// for each directory; with `dryRun` it only says which. O(entries).
    ///
    /// A prune that was killed while it dropped blobs has taken some out of their place that the catalogue still tells
    /// of: its last transaction never was. Those go back first.
    func removeLeftovers(
        dryRun: Bool = false, _ removed: (IngestLeftover) -> Void = { _ in }
    ) throws(LaminaError) {
        let name = "\(root)"
        if !dryRun {
            for leftover in try Self.storing(name, { () throws(StoreError) in try store.leftovers() }) {
                try giveBack(blobsOf: leftover)
            }
        }
        for leftover in try Self.storing(name, { () throws(StoreError) in try store.leftovers() }) {
            let isGone = try Self.storing(name) { () throws(StoreError) in
                dryRun ? true : try store.remove(leftover)
            }
            if isGone { removed(leftover) }
        }
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
