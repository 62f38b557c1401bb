// Removing volumes that no sandbox uses.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// What a prune of volumes removed.
public struct VolumePruneReport: Sendable, Hashable {
    public struct Item: Sendable, Hashable {
        public var name: String
        /// Bytes on disk.
        public var size: Int64
    }

    /// In the order of their names.
    public var items: [Item] = []
    /// Bytes on disk.
    public var reclaimed: Int64 { items.reduce(0) { $0 &+ $1.size } }
}

extension Engine {
    /// Removes the anonymous volumes that no sandbox uses, or with `all` the named ones too, as far as
    /// `filter` lets them through. One that comes into use meanwhile stays, as does one in which something
    /// is mounted. With `dryRun` nothing is removed.
    public func pruneVolumes(
        all: Bool = false, _ filter: VolumeFilter = VolumeFilter(), dryRun: Bool = false
    ) throws(LaminaError) -> VolumePruneReport {
        var filter = filter
        filter.isDangling = true
        var report = VolumePruneReport()
        for volume in try volumes(filter) where all || filter.all == true || volume.isAnonymous {
            if try mountpoint(in: volume) != nil { continue }
            let size = try Self.storing(volume.name) { () throws(StoreError) in
                try store.volumeDiskSize(volume.name)
            }
            do throws(LaminaError) {
                if !dryRun { try removeVolume(volume.name) }
            } catch {
                if case .volumeInUse? = error.cause as? CatalogError { continue }
                if error.code == .notFound { continue }
                throw error
            }
            report.items.append(VolumePruneReport.Item(name: volume.name, size: size))
        }
        return report
    }
}
