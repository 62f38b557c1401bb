// Removing what nothing references. The rows go first, in one transaction, then the
// files, so that a crash between leaves files that the next prune finds.

import Glibc
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

/// What a prune removed, or would remove.
public struct PruneReport: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case image, chain, layer, blob, object, sandbox, leftover
    }

    /// One thing that is gone.
    public struct Item: Sendable, Hashable {
        public var kind: Kind
        /// A digest, a sandbox's id, a name below `ingest/` or `volumes/` and one below that.
        public var name: String
        /// Bytes on disk.
        public var size: Int64
    }

    /// Normalised references of removed images.
    public var untagged: [String] = []
    public var items: [Item] = []
    /// Bytes on disk of all items.
    public var reclaimed: Int64 { items.reduce(0) { $0 &+ $1.size } }
}

extension Engine {
    /// Removes blobs, objects, layers, chains, sandbox directories and unfinished work that nothing
    /// references, and of volumes only empty directories that never became one; with `unusedImages` first
    /// every image that no sandbox uses. With `dryRun` nothing is removed.
    ///
    /// Waits for running loads and creates, at most 30 seconds, then throws `busy`.
    public func prune(unusedImages: Bool = false, dryRun: Bool = false) throws(LaminaError) -> PruneReport {
        let lease = try lease(exclusive: true)
        let unused = try catalogue { catalog throws(CatalogError) in
            try catalog.removeUnused(images: unusedImages, dryRun: dryRun)
        }
        var report = PruneReport(untagged: unused.references)
        report.items = unused.images.map { PruneReport.Item(kind: .image, name: "\($0)", size: 0) }
        try removeContent(except: unused.kept, dryRun: dryRun, &report)
        try removeSandboxDirectories(except: unused.kept.sandboxes, dryRun: dryRun, &report)
        try removeLeftovers(dryRun: dryRun, &report)
        try removeUnfinishedVolumes(except: unused.kept.volumes, dryRun: dryRun, &report)
        _ = consume lease
        return report
    }

    /// The objects of these layers. O(objects).
    func usedObjects(of diffIDs: Set<Digest>) throws(StoreError) -> Set<Digest> {
        var result: Set<Digest> = []
        for diffID in diffIDs {
            result.formUnion(try store.readSplits(diffID).objects)
        }
        return result
    }

    private func removeContent(
        except kept: CatalogReferences, dryRun: Bool, _ report: inout PruneReport
    ) throws(LaminaError) {
        do throws(StoreError) {
            let rooms: [(StoreContent, PruneReport.Kind, Set<Digest>)] = [
                (.chain, .chain, kept.chainIDs), (.layer, .layer, kept.diffIDs), (.blob, .blob, kept.blobs),
                (.object, .object, try usedObjects(of: kept.diffIDs)),
            ]
            for (content, kind, kept) in rooms {
                let unused = try store.inventory(content).filter { !kept.contains($0.digest) }
                for item in unused.sorted(by: { $0.digest.hex < $1.digest.hex }) {
                    if !dryRun { try store.remove(content, item.digest) }
                    report.items.append(
                        PruneReport.Item(
                            kind: kind, name: "\(item.digest)", size: Int64(clamping: item.diskSize)))
                }
            }
        } catch {
            throw LaminaError(error, about: root.description)
        }
    }

    /// Directories of sandboxes that were being made or removed when their process ended.
    private func removeSandboxDirectories(
        except kept: Set<String>, dryRun: Bool, _ report: inout PruneReport
    ) throws(LaminaError) {
        let room = root.appending("sandboxes")
        let found = try Self.system(room) { () throws(Errno) -> [PruneReport.Item] in
            let directory: Descriptor
            do throws(Errno) {
                directory = try Descriptor.open(room, O_RDONLY | O_DIRECTORY)
            } catch .noSuchFileOrDirectory {
                return []
            }
            var items: [PruneReport.Item] = []
            for entry in try directory.entries() where !kept.contains("\(entry.name)") {
                if MountServer.isAlive(in: room.appending(entry.name)) { continue }
                let size = try directory.diskSize(of: entry.name)
                if !dryRun { try directory.removeTree(entry.name) }
                items.append(PruneReport.Item(kind: .sandbox, name: "\(entry.name)", size: size))
            }
            return items
        }
        report.items += found
    }

    /// Data in `volumes/` stays, also where the catalogue names no volume: it may be all that is left.
    private func removeUnfinishedVolumes(
        except kept: Set<String>, dryRun: Bool, _ report: inout PruneReport
    ) throws(LaminaError) {
        let names = try Self.storing("\(root)") { () throws(StoreError) in
            try store.emptyVolumes(except: kept, remove: !dryRun)
        }
        report.items += names.map { PruneReport.Item(kind: .leftover, name: "volumes/\($0)", size: 0) }
    }

    private func removeLeftovers(dryRun: Bool, _ report: inout PruneReport) throws(LaminaError) {
        do throws(StoreError) {
            for leftover in try store.leftovers() {
                if !dryRun { try store.remove(leftover) }
                report.items.append(
                    PruneReport.Item(
                        kind: .leftover, name: "\(leftover.name)", size: Int64(clamping: leftover.diskSize)))
            }
        } catch {
            throw LaminaError(error, about: root.description)
        }
    }
}

extension Descriptor {
    /// Bytes on disk of `name` and everything in it. O(files).
    fileprivate borrowing func diskSize(of name: ByteString, depth: Int = 0) throws(Errno) -> Int64 {
        let status = try status(of: name)
        var total = status.blocks &* 512
        guard status.type == .directory, depth < Limits.depth else { return total }
        let below = try openDirectory(name)
        for entry in try below.entries() { total &+= try below.diskSize(of: entry.name, depth: depth + 1) }
        return total
    }
}
