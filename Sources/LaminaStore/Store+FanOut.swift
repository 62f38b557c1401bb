// The directories `00` to `ff` between a room and its content, which come and go with what is in them.
//
// Invariant: one that is missing is made by whoever places content; only an empty one is ever removed.

import Glibc
import LaminaCore
import LaminaSystem

extension Store {
    /// Makes the directory between `room` and `target` (`ab/…`) where it is missing.
    func makeFanOut(of target: ByteString, in room: borrowing Descriptor) throws(Errno) {
        do throws(Errno) {
            try room.makeDirectory(StorePath.fanOut(target), permissions: 0o700)
        } catch Errno.fileExists {
            // Another load made it.
        }
    }

    /// Renames `name` of `directory` into `room` as `target`. When something of that name is
    /// there already, which content of the same digest equals, that stays; or, to replace what is damaged, the two
    /// change places in one step.
    func place(
        _ name: ByteString, of directory: borrowing Descriptor, in room: borrowing Descriptor,
        as target: ByteString, replacing: Bool = false
    ) throws(Errno) {
        for _ in 0..<8 {
            do throws(Errno) {
                return try directory.rename(name, to: room, target, flags: RenameFlag.noReplace)
            } catch Errno.fileExists {
                guard replacing else { return }
                return try directory.rename(name, to: room, target, flags: RenameFlag.exchange)
            } catch Errno.noSuchFileOrDirectory {
                // A prune found the directory empty since it was made.
                guard exists(name, in: directory), StorePath.hasFanOut(target) else {
                    throw .noSuchFileOrDirectory
                }
                try makeFanOut(of: target, in: room)
            }
        }
        throw .noSuchFileOrDirectory
    }

    /// Makes the name that `target` got in `room` durable. What went again since, and its directory, needs nothing.
    func syncFanOut(of target: ByteString, in room: borrowing Descriptor) throws(Errno) {
        do throws(Errno) {
            try room.openDirectory(StorePath.fanOut(target)).syncDirectory()
        } catch Errno.noSuchFileOrDirectory {
            // A prune took it before anything referred to it; whoever needs it gets it back.
        }
        try room.syncDirectory()
    }

    /// Removes the directories that hold nothing any more. At most 512 calls of microseconds.
    public func removeEmptyFanOuts() {
        for room in ["objects", "blobs/sha256"] as [ByteString] {
            // A descriptor of its own: threads that share one share its place in the listing.
            guard let room = try? root.openDirectory(room), let entries = try? room.entries() else {
                continue
            }
            for entry in entries where entry.type == .directory && entry.name.count == 2 {
                // One that is not empty stays; so does one that cannot be removed, until the next prune.
                try? room.removeDirectory(entry.name)
            }
        }
    }
}
