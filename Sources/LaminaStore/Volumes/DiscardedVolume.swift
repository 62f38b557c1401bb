// DiscardedVolume owns the data of a volume on its way out: from the moment it loses its name to the
// removal of its last file. A crash between leaves `ingest/<unique>/volume/<name>`: if the catalogue still tells of the
// volume it gets its place back, else prune removes it.

import Glibc
import LaminaCore
import LaminaSystem

/// A place under `ingest/` for one volume that goes.
public struct DiscardedVolume: ~Copyable, Sendable {
    private let staging: IngestDirectory
    /// In it the volume stands under its name.
    private let exit: Descriptor
    private let room: Descriptor

    /// No name of a volume, which have two characters at least, is `_data`, which a new volume has here.
    static let name: ByteString = "volume"

    private init(
        _ staging: consuming IngestDirectory, _ exit: consuming Descriptor, _ room: consuming Descriptor
    ) {
        self.staging = staging
        self.exit = exit
        self.room = room
    }

    fileprivate static func make(in store: Store) throws(StoreError) -> DiscardedVolume {
        let staging = try IngestDirectory.make(in: store)
        do throws(Errno) {
            try staging.descriptor.makeDirectory(Self.name, permissions: 0o700)
            let exit = try staging.descriptor.openDirectory(Self.name)
            let room = try store.makeVolumeRoom()
            return DiscardedVolume(staging, exit, room)
        } catch {
            throw .system("open the volumes", error)
        }
    }

    /// Takes a volume's name away, durably; its data may be lost already. The caller holds the
    /// catalogue's write lock.
    public borrowing func take(_ name: String) throws(Errno) {
        do throws(Errno) {
            try room.rename(ByteString(name), to: exit, ByteString(name))
        } catch .noSuchFileOrDirectory {
            return
        }
        try room.syncDirectory()
    }

    /// Gives a volume that was taken, and stays after all, its name again.
    public borrowing func giveBack(_ name: String) {
        // Nothing was taken, or it goes to prune: there is no third who could do better.
        try? exit.rename(ByteString(name), to: room, ByteString(name), flags: RenameFlag.noReplace)
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
    /// Volumes that a process which is gone was removing in this directory of unfinished work.
    public func discardedVolumes(of leftover: ByteString) throws(StoreError) -> [String] {
        do throws(Errno) {
            let entries = try ingest.openDirectory(leftover.appending(DiscardedVolume.name)).entries()
            return entries.map(\.name.description).filter { $0 != "_data" }
        } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return [] }
            throw .system("list \(leftover)", error)
        }
    }

    /// Gives a volume its place back, unless another has it. The caller holds the catalogue's write lock.
    public func giveBack(volume name: String, of leftover: ByteString) throws(Errno) {
        let room = try makeVolumeRoom()
        do throws(Errno) {
            try ingest.rename(
                leftover.appending(DiscardedVolume.name).appending(ByteString(name)), to: room,
                ByteString(name), flags: RenameFlag.noReplace)
        } catch {
            guard error == .noSuchFileOrDirectory || error == .fileExists else { throw error }
        }
    }

    /// A place for a volume that is to be removed.
    public func discardVolume() throws(StoreError) -> DiscardedVolume { try DiscardedVolume.make(in: self) }
}
