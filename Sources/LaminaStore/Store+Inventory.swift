// What is in the store and what it costs on disk, and taking it out again: prune's tools.
// What nothing refers to is taken out of its place by a `Retirement`.

import Glibc
import LaminaCore
import LaminaSystem

/// One removable thing of the store.
public struct StoredItem: Hashable, Sendable {
    public var content: StoreContent
    public var digest: Digest
    /// Bytes on disk: `st_blocks` times 512, of all its files.
    public var diskSize: UInt64
}

/// A directory of unfinished work.
public struct IngestLeftover: Hashable, Sendable {
    public var name: ByteString
    /// Bytes on disk of everything in it.
    public var diskSize: UInt64
}

extension Store {
    /// Everything of one kind. Files whose names are no digests are not ours and not listed.
    /// O(items) time and memory.
    public func inventory(_ content: StoreContent) throws(StoreError) -> [StoredItem] {
        do throws(Errno) {
            switch content {
            case .blob:
                return try fannedOut(try root.openDirectory("blobs/sha256"), .blob) { Digest(hex: "\($1)") }
            case .object:
                return try fannedOut(try root.openDirectory("objects"), .object) { Digest(hex: "\($0)\($1)") }
            case .layer: return try flat(try root.openDirectory("layers"), .layer) { Digest(hex: "\($0)") }
            case .chain:
                return try flat(try root.openDirectory("chains"), .chain) {
                    let text = "\($0)"
                    return text.hasSuffix(".erofs") ? Digest(hex: text.dropLast(6)) : nil
                }
            }
        } catch {
            throw .system("list the \(content.rawValue)s", error)
        }
    }

    private func flat(
        _ room: borrowing Descriptor, _ content: StoreContent, _ digest: (ByteString) -> Digest?
    ) throws(Errno) -> [StoredItem] {
        var result: [StoredItem] = []
        for entry in try room.entries() {
            guard let digest = digest(entry.name) else { continue }
            result.append(
                StoredItem(
                    content: content, digest: digest, diskSize: try Self.diskSize(entry.name, in: room)))
        }
        return result
    }

    private func fannedOut(
        _ room: borrowing Descriptor, _ content: StoreContent, _ digest: (ByteString, ByteString) -> Digest?
    ) throws(Errno) -> [StoredItem] {
        var result: [StoredItem] = []
        for middle in try room.entries() where middle.type == .directory && middle.name.count == 2 {
            result += try flat(try room.openDirectory(middle.name), content) { digest(middle.name, $0) }
        }
        return result
    }

    /// Bytes on disk of `path` below the root and of everything in it; 0 when it is not there. O(files).
    public func diskSize(of path: ByteString) throws(Errno) -> Int64 {
        do throws(Errno) {
            return Int64(clamping: try Self.diskSize(path, in: root, deepest: Limits.depth))
        } catch Errno.noSuchFileOrDirectory {
            return 0
        }
    }

    /// Bytes on disk of `name` and of what is in it, one level deep more than the store's content has.
    static func diskSize(
        _ name: ByteString, in directory: borrowing Descriptor, depth: Int = 0, deepest: Int = 4
    ) throws(Errno) -> UInt64 {
        let status = try directory.status(of: name)
        var total = UInt64(max(status.blocks, 0)) &* 512
        guard status.type == .directory, depth < deepest else { return total }
        let below = try directory.openDirectory(name)
        for entry in try below.entries() {
            total &+= try diskSize(entry.name, in: below, depth: depth + 1, deepest: deepest)
        }
        return total
    }

    /// Removes one thing; no error when it is gone already. The directory above it stays.
    public func remove(_ content: StoreContent, _ digest: Digest) throws(StoreError) {
        do throws(Errno) {
            switch content {
            case .blob: try blobs.removeTree(StorePath.blob(digest))
            case .object: try objects.removeTree(StorePath.object(digest))
            case .layer: try removeLayer(digest)
            case .chain: try chains.removeTree(StorePath.chain(digest))
            }
        } catch {
            throw .system("remove \(content.rawValue) \(digest)", error)
        }
    }

    /// A layer's directory leaves its name first, so that a crash midway cannot leave half a
    /// layer that looks whole.
    private func removeLayer(_ diffID: Digest) throws(Errno) {
        let name = StorePath.layer(diffID)
        guard exists(name, in: layers) else { return }
        let doomed = ByteString("removed-") + name
        try ingest.removeTree(doomed)
        try layers.rename(name, to: ingest, doomed)
        try ingest.removeTree(doomed)
    }

    /// Directories of unfinished work whose process is gone.
    public func leftovers() throws(StoreError) -> [IngestLeftover] {
        do throws(Errno) {
            var result: [IngestLeftover] = []
            for entry in try root.openDirectory("ingest").entries() {
                guard try takeLock(of: entry.name) != nil else { continue }
                result.append(
                    IngestLeftover(name: entry.name, diskSize: try Self.diskSize(entry.name, in: ingest)))
            }
            return result
        } catch {
            throw .system("list unfinished work", error)
        }
    }

    /// Removes a leftover, unless a process has come to work in it or may still read retired content of it;
    /// whether it is gone.
    @discardableResult
    public func remove(_ leftover: IngestLeftover) throws(StoreError) -> Bool {
        do throws(Errno) {
            guard let lock = try takeLock(of: leftover.name) else { return false }
            if leftover.name.hasPrefix(Retirement.prefix) { return try removeRetired(leftover.name, lock) }
            try ingest.removeTree(leftover.name)
            _ = consume lock
            return true
        } catch {
            throw .system("remove \(leftover.name)", error)
        }
    }

    /// Whether the process that made this directory of unfinished work is still at it.
    public func isAtWork(_ name: ByteString) -> Bool {
        guard let directory = try? ingest.openDirectory(name) else { return false }
        do throws(Errno) {
            try directory.lock(exclusive: true, wait: false)
            return false
        } catch {
            return true
        }
    }

    /// The lock of a directory of unfinished work; nil while its owner lives or when it is gone.
    private func takeLock(of name: ByteString) throws(Errno) -> Descriptor? {
        do throws(Errno) {
            let status = try ingest.status(of: name)
            // A stray file has no lock to hold.
            guard status.type == .directory else { return try ingest.openPath(name) }
            let directory = try ingest.openDirectory(name)
            try directory.lock(exclusive: true, wait: false)
            // Whoever held it before may have removed it.
            if try directory.status().linkCount > 0 { return directory }
            return nil
        } catch {
            if error == .wouldBlock || error == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }
}
