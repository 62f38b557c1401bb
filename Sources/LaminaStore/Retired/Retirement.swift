// Retirement owns one directory `ingest/retired-…`: content that lost its place because nothing refers to it, and
// whose bytes stay until nobody can be relying on them. Until then it can be given its place back.
//
// Invariant: content is in its room, or in a retirement, or gone; each step is one rename. A retirement that has
// the file `generation-N` gets nothing more, and goes when no lease of that generation or an older one is held.

import Glibc
import LaminaCore
import LaminaSystem

/// A directory for content that is on its way out. Its owner holds it locked.
public final class Retirement: Sendable {
    private let store: Store
    private let name: ByteString
    /// With an exclusive `flock(2)`.
    private let directory: SharedDescriptor

    static let prefix: ByteString = "retired-"

    /// Makes the directory.
    public init(in store: Store) throws(StoreError) {
        self.store = store
        (name, directory) = try doing("make a directory for what goes") { () throws(Errno) in
            for _ in 0..<16 {
                if let made = try Self.make(in: store) { return made }
            }
            throw .fileExists
        }
    }

    /// Nil when somebody took the directory for a leftover before it was locked.
    private static func make(in store: Store) throws(Errno) -> (ByteString, SharedDescriptor)? {
        let name = prefix + ByteString("\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))")
        try store.ingest.makeDirectory(name, permissions: 0o700)
        do throws(Errno) {
            let directory = try store.ingest.openDirectory(name)
            try directory.lock(exclusive: true)
            return try directory.status().linkCount > 0 ? (name, SharedDescriptor(directory)) : nil
        } catch Errno.noSuchFileOrDirectory {
            return nil
        }
    }

    /// The name of content in a retirement.
    static func name(_ content: StoreContent, _ digest: Digest) -> ByteString {
        ByteString("\(content.rawValue)-\(digest.hex)")
    }

    /// Takes content out of its room; no error when it is not there. The caller holds the catalogue's write
    /// lock and knows that nothing refers to it.
    public func take(_ content: StoreContent, _ digest: Digest) throws(Errno) {
        try store.withPlace(of: content, digest) { (room, path) throws(Errno) in
            try Self.move(path, from: room, to: directory.descriptor, Self.name(content, digest))
        }
    }

    /// Takes the directory of a sandbox that the catalogue does not know, likewise.
    public func takeSandbox(_ id: String) throws(Errno) {
        let sandboxes = try store.root.openDirectory("sandboxes")
        try Self.move(ByteString(id), from: sandboxes, to: directory.descriptor, ByteString("sandbox-\(id)"))
    }

    private static func move(
        _ path: ByteString, from room: borrowing Descriptor, to directory: borrowing Descriptor,
        _ name: ByteString
    ) throws(Errno) {
        do throws(Errno) {
            try room.rename(path, to: directory, name)
        } catch Errno.noSuchFileOrDirectory {
            return
        }
    }

    /// Takes nothing more: from now on nobody can meet this content in its place. Then removes it, waiting for
    /// those who may have, at most `seconds`; whether it is gone. What is not goes with a later prune.
    public func finish(waiting seconds: Int) throws(StoreError) -> Bool {
        let steps = max(1, seconds * 50)
        return try doing("remove \(name)") { () throws(Errno) in
            if try directory.descriptor.isEmptyDirectory() {
                try store.ingest.removeTree(name)
                return true
            }
            for step in 0..<steps {
                if try store.removeRetired(name, directory.descriptor) { return true }
                if step < steps - 1 { usleep(20_000) }
            }
            return false
        }
    }
}
