// OwnerWalk goes through every file below the store's root and says whose it is.

import Glibc
import LaminaCore
import LaminaStore
import LaminaSystem

/// One walk of a store.
struct OwnerWalk {
    private let store: Store
    private let table: OwnerTable
    private let device: UInt64
    /// Files of several names that were met.
    private var seen: Set<UInt64> = []

    init(_ store: Store, _ table: OwnerTable) throws(Errno) {
        self.store = store
        self.table = table
        device = try store.root.status().device
    }

    /// Calls `visit` for each file and directory, the root first, names in byte order. Other filesystems that are
    /// mounted below are left out. A file that goes meanwhile is left out.
    mutating func run(_ visit: (OwnedFile) throws(Errno) -> Void) throws(Errno) {
        let status = try store.root.status()
        try visit(
            OwnedFile(
                path: ByteString(), diskSize: status.blocks &* 512,
                owner: StoreOwner(.store, [], "the store's own directory")))
        try walk(store.root.openDirectory("."), ByteString(), nil, depth: 0, visit)
    }

    private mutating func walk(
        _ directory: borrowing Descriptor, _ path: ByteString, _ inherited: StoreOwner?, depth: Int,
        _ visit: (OwnedFile) throws(Errno) -> Void
    ) throws(Errno) {
        guard depth < Limits.depth else { throw .tooManySymbolicLinkLevels }
        for entry in try directory.entries().sorted(by: { $0.name < $1.name }) {
            let status: FileStatus
            do throws(Errno) {
                status = try directory.status(of: entry.name)
            } catch Errno.noSuchFileOrDirectory {
                continue
            }
            guard status.device == device else { continue }
            let name = path.appending(entry.name)
            let owner = inherited ?? owner(name.components)
            var size = status.blocks &* 512
            let isDirectory = status.type == .directory
            if !isDirectory, status.linkCount > 1, !seen.insert(status.inode).inserted { size = 0 }
            try visit(OwnedFile(path: name, diskSize: size, owner: owner ?? Self.room(name)))
            guard isDirectory else { continue }
            do throws(Errno) {
                try walk(directory.openDirectory(entry.name), name, owner, depth: depth + 1, visit)
            } catch Errno.noSuchFileOrDirectory {
                continue
            }
        }
    }

    private static func room(_ name: ByteString) -> StoreOwner {
        StoreOwner(.store, [], "a room of the store: \(name)")
    }

    /// Whose a path is with all beneath it; nil for a room, whose entries have owners of their own.
    private func owner(_ path: [ByteString]) -> StoreOwner? {
        let words = path.map(\.description)
        switch (words[0], words.count) {
        case ("blobs", ...2), ("objects", 1), ("layers", 1), ("chains", 1), ("sandboxes", 1), ("volumes", 1),
            ("ingest", 1), ("leases", 1):
            return nil
        case ("blobs", 3) where words[1] == "sha256" && words[2].utf8.count == 2: return nil
        case ("objects", 2) where words[1].utf8.count == 2: return nil
        case ("blobs", 4) where words[1] == "sha256": return content(.blob, words[3])
        case ("objects", 3): return content(.object, words[1] + words[2])
        case ("layers", 2): return content(.layer, words[1])
        case ("chains", 2) where words[1].hasSuffix(".erofs"):
            return content(.chain, String(words[1].dropLast(6)))
        case ("sandboxes", 2): return sandbox(words[1])
        case ("volumes", 2): return volume(words[1])
        case ("ingest", 2): return work(path[1])
        case (let name, 1) where name.hasPrefix("lamina.db"):
            return StoreOwner(.store, [], "the catalogue")
        case ("reserve", 1): return StoreOwner(.store, [], "what a removal on a full disk gives up")
        case ("leases", 2): return StoreOwner(.store, [], "a generation of leases")
        default: return StoreOwner(.foreign, [], "nothing that Lamina made")
        }
    }

    private func content(_ content: StoreContent, _ hex: String) -> StoreOwner {
        Digest(hex: hex).map { table.owner(of: content, $0) }
            ?? StoreOwner(.foreign, [], "no name of content")
    }

    private func sandbox(_ id: String) -> StoreOwner {
        if let name = table.sandboxes[id] { return StoreOwner(.sandbox, [name], "of sandbox \(name)") }
        if MountServer.isAlive(in: store.path.appending("sandboxes").appending(ByteString(id))) {
            return StoreOwner(.lease, [], "of a sandbox that was removed and is still served")
        }
        return StoreOwner(.garbage, [], "of a sandbox that there is not")
    }

    private func volume(_ name: String) -> StoreOwner {
        guard let users = table.volumes[name] else {
            return StoreOwner(
                .foreign, [], "data that no catalogue knows; an empty directory goes with a prune")
        }
        let reason = users.isEmpty ? "no sandbox uses it" : "used by sandbox \(OwnerTable.list(users))"
        return StoreOwner(.volume, [name], "of volume \(name), \(reason)")
    }

    private func work(_ name: ByteString) -> StoreOwner {
        if store.isAtWork(name) {
            return StoreOwner(.ingest, ["\(name)"], "unfinished work of a process that lives")
        }
        if store.isRetired(name) {
            return store.mayBeRead(name)
                ? StoreOwner(.lease, [], "out of its place; a process may be reading it")
                : StoreOwner(.garbage, [], "out of its place; nobody reads it")
        }
        return StoreOwner(.garbage, [], "unfinished work of a process that is gone")
    }
}
