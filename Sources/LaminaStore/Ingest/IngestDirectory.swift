// IngestDirectory owns one directory of unfinished work and removes it with everything in it.
// As long as it lives the directory itself is locked, so that nobody takes it for a leftover: a lock
// file in it would go away before the directory does, and somebody else could make another.

import Glibc
import LaminaCore
import LaminaSystem

/// A private directory below `ingest/` for unfinished work: dropping it removes it.
public struct IngestDirectory: ~Copyable, Sendable {
    let store: Store
    /// Its name below `ingest/`.
    public let name: ByteString
    /// The directory, with an exclusive `flock(2)`.
    public let descriptor: Descriptor

    private init(_ store: Store, _ name: ByteString, _ descriptor: consuming Descriptor) {
        self.store = store
        self.name = name
        self.descriptor = descriptor
    }

    deinit {
        // What cannot be removed now is a leftover, which prune removes.
        try? store.ingest.removeTree(name)
    }

    /// Makes a directory under a name nobody else has, and locks it.
    public static func make(in store: Store) throws(StoreError) -> IngestDirectory {
        do throws(Errno) {
            for _ in 0..<16 {
                let name = ByteString("\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))")
                if let directory = try make(name, in: store) { return directory }
            }
            throw Errno.fileExists
        } catch {
            throw .system("make a directory for unfinished work", error)
        }
    }

    /// Nil when a prune took the directory for a leftover before it was locked.
    private static func make(_ name: ByteString, in store: Store) throws(Errno) -> IngestDirectory? {
        try store.ingest.makeDirectory(name, permissions: 0o700)
        do throws(Errno) {
            let descriptor = try store.ingest.openDirectory(name)
            try descriptor.lock(exclusive: true, wait: false)
            if try descriptor.status().linkCount > 0 { return IngestDirectory(store, name, descriptor) }
            return nil
        } catch {
            if error == .wouldBlock || error == .noSuchFileOrDirectory { return nil }
            try? store.ingest.removeTree(name)
            throw error
        }
    }

    /// A new file of this directory. No one may write it once it is closed.
    borrowing func create(_ name: ByteString) throws(Errno) -> Descriptor {
        try descriptor.open(name, O_WRONLY | O_CREAT | O_EXCL, permissions: 0o444)
    }

    /// A new file of `directory`, which is this one or below it.
    borrowing func create(_ name: ByteString, in directory: borrowing Descriptor) throws(StoreError)
        -> Descriptor
    {
        do throws(Errno) {
            return try directory.open(name, O_WRONLY | O_CREAT | O_EXCL, permissions: 0o444)
        } catch {
            throw .system("make \(name)", error)
        }
    }

    /// The directory that becomes the layer's.
    borrowing func makeLayerDirectory() throws(StoreError) -> Descriptor {
        do throws(Errno) {
            try descriptor.makeDirectory(StagedLayer.directoryName, permissions: 0o700)
            return try descriptor.openDirectory(StagedLayer.directoryName)
        } catch {
            throw .system("make a layer's directory", error)
        }
    }

    borrowing func write(_ splits: Splits, in directory: borrowing Descriptor) throws(StoreError) {
        let file = try create(StorePath.splits, in: directory)
        do throws(Errno) {
            try file.writeAll(splits.encoded())
        } catch {
            throw .system("write a layer's splits", error)
        }
    }
}
