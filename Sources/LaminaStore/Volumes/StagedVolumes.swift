// StagedVolumes owns the directories of new volumes until each has its name below `volumes/`. Dropping it
// removes those that got none.

import Glibc
import LaminaCore
import LaminaSystem

/// New, empty volumes under `ingest/`, durable.
public struct StagedVolumes: ~Copyable, Sendable {
    private let staging: IngestDirectory
    private let room: Descriptor

    private init(_ staging: consuming IngestDirectory, _ room: consuming Descriptor) {
        self.staging = staging
        self.room = room
    }

    fileprivate static func make(_ names: [String], in store: Store) throws(StoreError) -> StagedVolumes {
        let staging = try IngestDirectory.make(in: store)
        do throws(Errno) {
            for name in names { try make(ByteString(name), in: staging.descriptor) }
            return StagedVolumes(staging, try store.makeVolumeRoom())
        } catch {
            throw .system("make a volume's directory", error)
        }
    }

    private static func make(_ name: ByteString, in directory: borrowing Descriptor) throws(Errno) {
        try directory.makeDirectory(name, permissions: 0o700)
        let volume = try directory.openDirectory(name)
        try volume.makeDirectory(VolumePath.data, permissions: 0o755)
        // Whatever the umask.
        let data = try volume.openDirectory(VolumePath.data)
        try data.setPermissions(0o755)
        try data.syncDirectory()
        try volume.syncDirectory()
    }

    /// Gives a volume its name, durably. The caller holds the catalogue's write lock and knows that it
    /// has no volume of this name: an empty directory of it is what a crash left, and goes.
    ///
    /// Throws `ENOTEMPTY` for a directory that holds something.
    public borrowing func place(_ name: String) throws(Errno) {
        let name = ByteString(name)
        do throws(Errno) {
            try staging.descriptor.rename(name, to: room, name, flags: RenameFlag.noReplace)
        } catch .fileExists {
            guard try room.removeEmptyVolume(name) else { throw .directoryNotEmpty }
            try staging.descriptor.rename(name, to: room, name, flags: RenameFlag.noReplace)
        }
        try room.syncDirectory()
    }
}

extension Store {
    /// Makes directories for volumes that are to be added to the catalogue.
    public func stageVolumes(_ names: [String]) throws(StoreError) -> StagedVolumes {
        try StagedVolumes.make(names, in: self)
    }
}
