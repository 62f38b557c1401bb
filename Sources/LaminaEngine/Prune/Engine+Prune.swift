// Removing what nothing needs, beside whatever else works on the store.
//
// Rows go first, in short transactions; within the one that deletes its row, content leaves its place for a
// retirement, whose bytes go when nobody can be relying on them any more. Killed anywhere, the next prune goes on.

import Foundation
import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// Removes what the options name. Waits for nobody to begin and makes nobody wait, except for
    /// transactions of milliseconds; a dry run is one transaction. O(what is removed + images + layers).
    ///
    /// A sandbox that is mounted or comes into use, and a volume that does, stays.
    public func prune(_ options: PruneOptions = PruneOptions()) throws(LaminaError) -> PruneReport {
        if options.filter.until != nil && options.kinds.contains(.volume) {
            throw LaminaError(.usage, "--filter until", "is not supported for volumes")
        }
        try accountOnce()
        var report = PruneReport()
        if options.kinds.contains(.sandbox) { try pruneSandboxes(options, &report) }
        if options.kinds.contains(.volume) { try pruneVolumes(options, &report) }
        guard options.dryRun else {
            let retirement = try Self.storing("\(root)") { () throws(StoreError) in try Retirement(in: store)
            }
            var pruner = Pruner(self, catalog.pruning, options, report)
            try pruner.run { (content) throws(Errno) in
                try retirement.take(content.kind.content, content.digest)
            } retireSandbox: { (id) throws(Errno) in
                try retirement.takeSandbox(id)
            }
            report = pruner.report
            let isGone = try Self.storing("\(root)") { () throws(StoreError) in
                try retirement.finish(waiting: options.patience)
            }
            if !isGone { report.waiting &+= pruner.retired }
            try noteLeftovers(options, &report)
            store.removeEmptyFanOuts()
            // Only a saving: what was to go is gone.
            try? catalog.shrink()
            if isEmpty { store.dropReserve() } else { store.keepReserve() }
            return report
        }
        try rehearse(options, &report)
        try noteLeftovers(options, &report)
        return report
    }

    /// Whether there is nothing that a later prune could remove.
    private var isEmpty: Bool {
        guard let totals = try? catalog.totals(), let sandboxes = try? catalog.sandboxes(),
            let volumes = try? catalog.volumes()
        else { return false }
        return totals.values.allSatisfy { $0.count == 0 } && sandboxes.isEmpty && volumes.isEmpty
    }

    private func rehearse(_ options: PruneOptions, _ report: inout PruneReport) throws(LaminaError) {
        var result = report
        do {
            try catalog.rehearse { steps in
                var pruner = Pruner(self, steps, options, result)
                try pruner.run { _ throws(Errno) in
                } retireSandbox: { _ throws(Errno) in
                }
                result = pruner.report
            }
        } catch let error as LaminaError {
            throw error
        } catch let error as CatalogError {
            throw LaminaError(error)
        } catch {
            throw LaminaError(.failure, "\(root)", "\(error)", cause: error)
        }
        report = result
    }

    private func pruneSandboxes(_ options: PruneOptions, _ report: inout PruneReport) throws(LaminaError) {
        for sandbox in try sandboxes() where sandbox.state == .idle {
            guard options.filter.accepts(created: sandbox.created, labels: [:]) else { continue }
            let size = try sandboxDiskSize(sandbox)
            if !options.dryRun {
                do throws(LaminaError) {
                    try remove(sandbox.id)
                } catch  where error.code == .busy || error.code == .notFound {
                    continue
                }
            }
            report.items.append(PruneReport.Item(kind: .sandbox, name: sandbox.id, size: size))
        }
    }

    private func pruneVolumes(_ options: PruneOptions, _ report: inout PruneReport) throws(LaminaError) {
        var filter = VolumeFilter()
        filter.labels = options.filter.labels
        filter.withoutLabels = options.filter.withoutLabels
        let found = try pruneVolumes(all: options.all, filter, dryRun: options.dryRun)
        report.items += found.items.map { PruneReport.Item(kind: .volume, name: $0.name, size: $0.size) }
    }

    /// Unfinished work whose process is gone, and what earlier prunes left to those who were reading.
    private func noteLeftovers(
        _ options: PruneOptions, _ report: inout PruneReport
    ) throws(LaminaError) {
        guard options.kinds.contains(.cache) else { return }
        var found: [PruneReport.Item] = []
        try removeLeftovers(dryRun: options.dryRun) { leftover in
            found.append(
                PruneReport.Item(
                    kind: .leftover, name: "\(leftover.name)", size: Int64(clamping: leftover.diskSize)))
        }
        report.items += found
    }
}
