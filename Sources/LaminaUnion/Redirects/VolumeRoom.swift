// VolumeRoom owns what stands beside a volume's files (docs/FORMAT-store.md): whether the volume took what an image
// has at its first target, and the unfinished and the complete copy of that.
//
// Invariant: the copy is made beside the files and moved in when it is complete and durable. A crash leaves a volume
// that is filled anew, or one whose copy goes on being moved.

import Glibc
import LaminaCore
import LaminaSystem

/// `volumes/<name>`, locked: one server at a time looks whether a volume is to be filled.
struct VolumeRoom: ~Copyable {
    private let directory: Descriptor
    let files: Descriptor

    private static let unfinished: ByteString = "filling"
    private static let complete: ByteString = "filled.new"
    private static let mark: ByteString = "filled"
    /// In a copy: what is moved in, and an empty directory with the attributes of its root, whose times would
    /// not outlive that.
    private static let tree: ByteString = "tree"
    private static let root: ByteString = "root"

    private init(_ directory: consuming Descriptor, _ files: consuming Descriptor) {
        self.directory = directory
        self.files = files
    }

    /// Waits for the lock, and ends what a crash interrupted.
    /// - Parameter place: the path of the volume's files.
    static func open(_ place: ByteString) throws(Errno) -> VolumeRoom {
        let parent = place.components.dropLast().reduce("/" as ByteString) { $0.appending($1) }
        guard let name = place.components.last else { throw .invalidArgument }
        let directory = try Descriptor.open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try directory.lock(exclusive: true)
        let files = try directory.openDirectory(name)
        let room = VolumeRoom(directory, files)
        try room.moveIn()
        return room
    }

    /// Whether the volume never held anything and was never filled.
    borrowing func isNew() throws(Errno) -> Bool {
        if (try? directory.status(of: Self.mark)) != nil { return false }
        if try files.isEmptyDirectory() { return true }
        try setMark()
        return false
    }

    /// Fills the volume with what `copy` puts into an empty directory.
    borrowing func fill(_ copy: (borrowing Descriptor) throws(Errno) -> Void) throws(Errno) {
        try directory.removeTree(Self.unfinished)
        try directory.makeDirectory(Self.unfinished, permissions: 0o700)
        do throws(Errno) {
            let copied = try directory.openDirectory(Self.unfinished)
            for name in [Self.tree, Self.root] { try copied.makeDirectory(name, permissions: 0o700) }
            let tree = try copied.openDirectory(Self.tree)
            try copy(tree)
            try tree.copyAttributes(to: copied.openDirectory(Self.root))
            try copied.syncFilesystem()
            try directory.rename(Self.unfinished, to: directory, Self.complete)
        } catch {
            // A full disk must not stay full of it.
            try? directory.removeTree(Self.unfinished)
            throw error
        }
        try directory.syncDirectory()
        try moveIn()
    }

    /// From now on the volume counts as filled, whatever is removed from it.
    borrowing func setMark() throws(Errno) {
        let mark = try directory.open(Self.mark, O_WRONLY | O_CREAT | O_NOFOLLOW, permissions: 0o600)
        try mark.sync()
        try directory.syncDirectory()
    }

    /// Moves a complete copy to where sandboxes see it. The directory of the files stays: others may have it open.
    private borrowing func moveIn() throws(Errno) {
        let copy: Descriptor
        do throws(Errno) {
            copy = try directory.openDirectory(Self.complete)
        } catch .noSuchFileOrDirectory {
            return
        }
        // Each is there, but for what a crash left of the last step.
        if let tree = try? copy.openDirectory(Self.tree) {
            for entry in try tree.entries() { try move(entry.name, from: tree) }
        }
        if let root = try? copy.openDirectory(Self.root) { try root.copyAttributes(to: files) }
        try files.syncDirectory()
        try setMark()
        try directory.removeTree(Self.complete)
    }

    private borrowing func move(_ name: ByteString, from tree: borrowing Descriptor) throws(Errno) {
        do throws(Errno) {
            try tree.rename(name, to: files, name, flags: RenameFlag.noReplace)
        } catch .fileExists {
            // Somebody without a wish for the copy made it meanwhile: what is in use stays.
            try tree.removeTree(name)
        }
    }
}

extension Descriptor {
    /// Gives another directory this one's owner, permissions, xattrs and times.
    fileprivate borrowing func copyAttributes(to other: borrowing Descriptor) throws(Errno) {
        let status = try status()
        let now = try other.status()
        if (status.uid, status.gid) != (now.uid, now.gid) {
            try other.setOwner(uid: status.uid, gid: status.gid)
        }
        try other.setPermissions(status.mode & 0o7777)
        for name in try extendedAttributeNames() {
            let value = try extendedAttribute(name)
            try other.setExtendedAttribute(name, value.raw)
        }
        try other.setTimes(atime: .set(status.atime), mtime: .set(status.mtime))
    }
}
