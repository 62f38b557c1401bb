// DiscardedVolume owns the data of a volume on its way out: from the moment it loses its name to the
// removal of its last file. A crash between leaves a directory under `ingest/`, which prune removes.

import Glibc
import LaminaCore
import LaminaSystem

/// A place under `ingest/` for one volume that goes.
public struct DiscardedVolume: ~Copyable, Sendable {
    private let staging: IngestDirectory
    private let room: Descriptor

    private static let name: ByteString = "volume"

    private init(_ staging: consuming IngestDirectory, _ room: consuming Descriptor) {
        self.staging = staging
        self.room = room
    }

    fileprivate static func make(in store: Store) throws(StoreError) -> DiscardedVolume {
        let staging = try IngestDirectory.make(in: store)
        do throws(Errno) {
            return DiscardedVolume(staging, try store.makeVolumeRoom())
        } catch {
            throw .system("open the volumes", error)
        }
    }

    /// Takes a volume's name away, durably; its data may be lost already. The caller holds the
    /// catalogue's write lock.
    public borrowing func take(_ name: String) throws(Errno) {
        do throws(Errno) {
            try room.rename(ByteString(name), to: staging.descriptor, Self.name)
        } catch .noSuchFileOrDirectory {
            return
        }
        try room.syncDirectory()
    }

    /// Gives a volume that was taken, and stays after all, its name again.
    public borrowing func giveBack(_ name: String) {
        // Nothing was taken, or it goes to prune: there is no third who could do better.
        try? staging.descriptor.rename(
            Self.name, to: room, ByteString(name), flags: RenameFlag.noReplace)
    }

    /// Removes what was taken. O(files).
    public consuming func remove() throws(StoreError) {
        do throws(Errno) {
            try staging.descriptor.removeTree(Self.name)
        } catch {
            throw .system("remove all files of the volume; lamina prune will try again", error)
        }
    }
}

extension Store {
    /// A place for a volume that is to be removed.
    public func discardVolume() throws(StoreError) -> DiscardedVolume { try DiscardedVolume.make(in: self) }
}
