// The room of the volumes: `volumes/<name>/_data`. Which names are volumes, the catalogue says.

import Glibc
import LaminaCore
import LaminaSystem

/// Names below the room of the volumes.
public enum VolumePath {
    public static let room: ByteString = "volumes"
    /// What sandboxes see of a volume.
    public static let data: ByteString = "_data"

    /// `volumes/<name>/_data`, below the store's root.
    public static func data(of name: String) -> ByteString {
        room.appending(ByteString(name)).appending(data)
    }
}

extension Store {
    /// `volumes/`, made where it is missing.
    func makeVolumeRoom() throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try root.openDirectory(VolumePath.room)
        } catch .noSuchFileOrDirectory {
            try root.makeDirectories(VolumePath.room, permissions: 0o700)
            try root.syncDirectory()
            return try root.openDirectory(VolumePath.room)
        }
    }

    /// Bytes on disk of what a volume holds: each file once, however many names it has, and nothing
    /// that is mounted in it. 0 for a volume whose directory is lost. O(files).
    public func volumeDiskSize(_ name: String) throws(StoreError) -> Int64 {
        do throws(Errno) {
            let data = try root.openDirectory(VolumePath.data(of: name))
            var walk = DiskSizeWalk(device: try data.status().device)
            try walk.add(data, depth: 0)
            return walk.total
        } catch .noSuchFileOrDirectory {
            return 0
        } catch {
            throw .system("measure volume \(name)", error)
        }
    }

    /// Directories of the room, but for volumes `except`, that hold nothing: what a crash leaves of a
    /// new volume. With `remove` they go. One that holds something is never touched here, whatever
    /// the catalogue has forgotten. The caller holds the catalogue's write lock.
    public func emptyVolumes(except names: Set<String>, remove: Bool) throws(Errno) -> [String] {
        let room: Descriptor
        do throws(Errno) {
            room = try root.openDirectory(VolumePath.room)
        } catch .noSuchFileOrDirectory {
            return []
        }
        var result: [String] = []
        for entry in try room.entries() where entry.type == .directory {
            let name = entry.name.description
            if names.contains(name) { continue }
            if try remove ? room.removeEmptyVolume(entry.name) : room.isEmptyVolume(entry.name) {
                result.append(name)
            }
        }
        return result.sorted()
    }
}

extension Descriptor {
    /// Whether the volume `name` of this room has nothing but `_data`, and that nothing.
    fileprivate borrowing func isEmptyVolume(_ name: ByteString) throws(Errno) -> Bool {
        let volume = try openDirectory(name)
        for entry in try volume.entries() {
            guard entry.name == VolumePath.data, entry.type == .directory else { return false }
            if !(try volume.openDirectory(entry.name).isEmptyDirectory()) { return false }
        }
        return true
    }

    /// Removes the volume `name` of this room if it is empty; whether it was. rmdir(2) decides.
    borrowing func removeEmptyVolume(_ name: ByteString) throws(Errno) -> Bool {
        guard try isEmptyVolume(name) else { return false }
        do throws(Errno) {
            try removeDirectory(name.appending(VolumePath.data))
        } catch .noSuchFileOrDirectory {
        } catch .directoryNotEmpty {
            return false
        }
        try removeDirectory(name)
        return true
    }
}

/// Adds up a tree of one filesystem.
private struct DiskSizeWalk: ~Copyable {
    let device: UInt64
    var total: Int64 = 0
    /// Files of several names that were met.
    var seen: Set<UInt64> = []

    init(device: UInt64) {
        self.device = device
    }

    mutating func add(_ directory: borrowing Descriptor, depth: Int) throws(Errno) {
        guard depth < Limits.depth else { throw .tooManySymbolicLinkLevels }
        for entry in try directory.entries() {
            let status = try directory.status(of: entry.name)
            guard status.device == device else { continue }
            if status.type != .directory && status.linkCount > 1 && !seen.insert(status.inode).inserted {
                continue
            }
            total &+= max(status.blocks, 0) &* 512
            if status.type == .directory {
                try add(directory.openDirectory(entry.name), depth: depth + 1)
            }
        }
    }
}
