// What was retired and is still there: given back, read, or removed.

import Glibc
import LaminaCore
import LaminaSystem

extension Store {
    /// Calls `body` with the room and the path in it that content of this digest has.
    func withPlace<Value: ~Copyable>(
        of content: StoreContent, _ digest: Digest,
        _ body: (borrowing Descriptor, ByteString) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        switch content {
        case .blob: try body(blobs, StorePath.blob(digest))
        case .object: try body(objects, StorePath.object(digest))
        case .layer: try body(layers, StorePath.layer(digest))
        case .chain: try body(chains, StorePath.chain(digest))
        }
    }

    /// Directories of retired content.
    private func retirements() throws(Errno) -> [ByteString] {
        // A descriptor of its own: threads that share one share its place in the listing.
        try root.openDirectory("ingest").entries().map(\.name).filter { $0.hasPrefix(Retirement.prefix) }
    }

    /// Makes sure that content is in its place, giving that back if it was retired, and says how many bytes it
    /// takes on disk; nil when it is nowhere. The caller holds a lease from before it met the content, and the
    /// catalogue's write lock.
    public func secure(_ content: StoreContent, _ digest: Digest) throws(Errno) -> Int64? {
        if let size = try diskSize(of: content, digest) { return size }
        return try restore(content, digest) ? diskSize(of: content, digest) : nil
    }

    /// Bytes on disk of content that is in its place; nil when it is not.
    public func diskSize(of content: StoreContent, _ digest: Digest) throws(Errno) -> Int64? {
        try withPlace(of: content, digest) { (room, path) throws(Errno) in
            do throws(Errno) {
                return Int64(clamping: try Self.diskSize(path, in: room))
            } catch Errno.noSuchFileOrDirectory {
                return nil
            }
        }
    }

    private func restore(_ content: StoreContent, _ digest: Digest) throws(Errno) -> Bool {
        try withPlace(of: content, digest) { (room, path) throws(Errno) in
            let name = Retirement.name(content, digest)
            for retirement in try retirements() {
                do throws(Errno) {
                    try place(retirement.appending(name), of: ingest, in: room, as: path)
                    return true
                } catch Errno.noSuchFileOrDirectory {
                    continue
                }
            }
            return false
        }
    }

    /// Opens content that was retired, for reading; `file` is one of a layer's. Nil when there is none.
    func openRetired(
        _ content: StoreContent, _ digest: Digest, _ file: ByteString? = nil
    ) throws(Errno) -> Descriptor? {
        let name = Retirement.name(content, digest)
        let path = file.map { name.appending($0) } ?? name
        for retirement in try retirements() {
            do throws(Errno) {
                return try ingest.open(retirement.appending(path), O_RDONLY | O_NOFOLLOW)
            } catch Errno.noSuchFileOrDirectory {
                continue
            }
        }
        return nil
    }

    /// Whether a directory of unfinished work holds retired content.
    public func isRetired(_ name: ByteString) -> Bool { name.hasPrefix(Retirement.prefix) }

    /// Whether somebody holds a lease from before a retirement ended, or it has not ended.
    public func mayBeRead(_ name: ByteString) -> Bool {
        guard let directory = try? ingest.openDirectory(name) else { return false }
        guard let generation = try? generation(of: directory) else { return true }
        return (try? isOver(generation)) != true
    }

    /// The blobs of a retirement whose owner ended before he knew that nothing refers to them; none for another
    /// directory.
    public func unendedBlobs(of name: ByteString) throws(StoreError) -> [Digest] {
        guard isRetired(name) else { return [] }
        let prefix = ByteString("\(StoreContent.blob.rawValue)-")
        do throws(Errno) {
            let directory = try ingest.openDirectory(name)
            guard try generation(of: directory) == nil else { return [] }
            return try directory.entries().filter { $0.name.hasPrefix(prefix) }.compactMap {
                Digest(hex: $0.name.dropFirst(prefix.count).description)
            }
        } catch Errno.noSuchFileOrDirectory {
            return []
        } catch {
            throw .system("list \(name)", error)
        }
    }

    /// Whether a blob can be read, in its place or out of it.
    public func canRead(blob digest: Digest) -> Bool {
        do throws(StoreError) {
            _ = try openBlob(digest)
            return true
        } catch {
            return false
        }
    }

    /// Removes a retirement that the caller has locked, if nobody can be relying on it; whether it is gone.
    func removeRetired(_ name: ByteString, _ directory: borrowing Descriptor) throws(Errno) -> Bool {
        let known = try generation(of: directory)
        let generation: UInt64
        if let known {
            generation = known
        } else {
            generation = try endGeneration()
            _ = try directory.open(
                Self.generationPrefix + ByteString("\(generation)"), O_RDONLY | O_CREAT, permissions: 0o600)
        }
        guard try isOver(generation) else { return false }
        // The number goes last: without it this would have to wait again.
        for entry in try directory.entries() where !entry.name.hasPrefix(Self.generationPrefix) {
            try directory.removeTree(entry.name)
        }
        try ingest.removeTree(name)
        return true
    }

    private static let generationPrefix: ByteString = "generation-"

    /// The last generation that may have met what a retirement holds; nil while it may get more, or when its owner
    /// died before he knew.
    private func generation(of directory: borrowing Descriptor) throws(Errno) -> UInt64? {
        for entry in try directory.entries() where entry.name.hasPrefix(Self.generationPrefix) {
            return UInt64(entry.name.dropFirst(Self.generationPrefix.count).description)
        }
        return nil
    }
}
