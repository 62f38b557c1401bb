// Removing volumes that no sandbox uses.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// What a prune of volumes removed.
public struct VolumePruneReport: Sendable, Hashable {
    /// Names, in order.
    public var removed: [String] = []
    /// Bytes on disk.
    public var reclaimed: Int64 = 0
}

extension Engine {
    /// Removes the anonymous volumes that no sandbox uses, or with `all` the named ones too, as far as
    /// `filter` lets them through. One that comes into use meanwhile stays, as does one in which something
    /// is mounted.
    public func pruneVolumes(
        all: Bool = false, _ filter: VolumeFilter = VolumeFilter()
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
                try removeVolume(volume.name)
            } catch {
                if case .volumeInUse? = error.cause as? CatalogError { continue }
                if error.code == .notFound { continue }
                throw error
            }
            report.removed.append(volume.name)
            report.reclaimed &+= size
        }
        return report
    }
}
