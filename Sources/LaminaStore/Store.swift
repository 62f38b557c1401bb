// Store owns the root directory of everything Lamina keeps, and the descriptors of its rooms.
// Nothing outside this module knows where a file lies below the root.

import Glibc
import LaminaCore
import LaminaSystem

/// An open store. Its layout is section 1 of docs/FORMAT.md.
///
/// Safe to use from any number of threads and processes: files appear under their final
/// name whole and durable, and are never changed in place. Who removes or relies on
/// unreferenced content holds a `StoreLease`.
public final class Store: Sendable {
    /// The root as it was given.
    public let path: ByteString
    /// The root directory, for the rooms of other modules (catalogue, sandboxes, volumes).
    public let root: Descriptor
    let blobs: Descriptor
    /// `objects/`, for mounts that hand its files out.
    public let objects: Descriptor
    let layers: Descriptor
    let chains: Descriptor
    let ingest: Descriptor
    let objectSizes = ObjectSizes()
    static let leases: ByteString = "leases"

    /// Opens the store at `path`, making it and its rooms with mode 0700 where they are missing.
    public init(at path: ByteString) throws(StoreError) {
        self.path = path
        root = try Self.openRoot(path)
        blobs = try Self.openRoom("blobs/sha256", in: root)
        objects = try Self.openRoom("objects", in: root)
        layers = try Self.openRoom("layers", in: root)
        chains = try Self.openRoom("chains", in: root)
        ingest = try Self.openRoom("ingest", in: root)
        _ = try Self.openRoom(Self.leases, in: root)
    }

    private static func openRoot(_ path: ByteString) throws(StoreError) -> Descriptor {
        do throws(Errno) {
            let root = try openOrMakeRoot(path)
            // Another user's directory could be changed behind our back.
            if try root.status().uid != geteuid() { throw Errno.notPermitted }
            return root
        } catch {
            // A full disk says nothing against the directory.
            if error == .noSpace { throw .system("make the store", error) }
            throw .unusableRoot(path, "\(error)")
        }
    }

    private static func openOrMakeRoot(_ path: ByteString) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        } catch Errno.noSuchFileOrDirectory {
            try Descriptor.workingDirectory().makeDirectories(path, permissions: 0o700)
            return try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        }
    }

    private static func openRoom(
        _ name: ByteString, in root: borrowing Descriptor
    ) throws(StoreError) -> Descriptor {
        do throws(Errno) {
            do throws(Errno) {
                return try root.openDirectory(name)
            } catch Errno.noSuchFileOrDirectory {
                try root.makeDirectories(name, permissions: 0o700)
                return try root.openDirectory(name)
            }
        } catch {
            throw .system("open \(name) of the store", error)
        }
    }

    /// Makes everything written to the store's filesystem durable: one call for any number
    /// of files.
    public func sync() throws(StoreError) {
        do throws(Errno) {
            try root.syncFilesystem()
        } catch {
            throw .system("make the store durable", error)
        }
    }
}
