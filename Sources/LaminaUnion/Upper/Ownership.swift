// Whose the files of a sandbox are: their own owners where this process may set them, else what
// an xattr of each says. Invariant: where owners are recorded, every file and directory on disk
// belongs to this process and gives it access, whatever the container's mode is.

import Glibc
import LaminaCore
import LaminaSystem

/// How a sandbox keeps owners and modes.
public enum Ownership: Sendable, Hashable {
    /// As those of its files. For root, and for root of a user namespace.
    case own
    /// In an xattr (`OverrideStat`), where it cannot be the file's own. For a plain user, who may
    /// give no file away. A file without the xattr belongs to `uid` and `gid`.
    case recorded(uid: UInt32, gid: UInt32)
}

/// What becomes of a node's owner and mode; nil leaves one as it is.
struct OwnerChange {
    var uid: UInt32?
    var gid: UInt32?
    var permissions: UInt32?
}

extension UpperTree {
    /// The status of an open node as the container is to see it, but for its inode number.
    func status(of handle: borrowing Descriptor) throws(Errno) -> FileStatus {
        let status = try handle.status()
        guard convention.readsOwners else { return status }
        return try owned(status, handle)
    }

    /// The status of `path` below `directory`, likewise.
    func status(of path: ByteString, below directory: borrowing Descriptor) throws(Errno) -> FileStatus {
        guard convention.readsOwners else { return try directory.status(of: path) }
        return try status(of: directory.openPath(path))
    }

    /// Puts what the node records in the place of the disk's owner and mode. Only regular files
    /// and directories can hold an xattr of `user.*`.
    private func owned(_ status: FileStatus, _ handle: borrowing Descriptor) throws(Errno) -> FileStatus {
        var result = status
        if case .recorded(let uid, let gid) = ownership {
            result.uid = uid
            result.gid = gid
        }
        guard status.type == .regular || status.type == .directory,
            let record = try record(of: handle)
        else { return result }
        result.uid = record.uid
        result.gid = record.gid
        result.mode = status.mode & FileType.mask | record.permissions
        return result
    }

    /// What the node records; nil too for a file of an id that a user namespace gave it to, which a
    /// plain user may not read: such a file must not keep him from listing its directory.
    private func record(of handle: borrowing Descriptor) throws(Errno) -> OverrideStat? {
        do throws(Errno) {
            return try handle.mark(OverrideStat.attribute).flatMap { OverrideStat($0) }
        } catch Errno.permissionDenied {
            return nil
        }
    }

    /// Changes owner and mode of a node.
    /// - Throws: `EPERM` when a plain user gives away what can hold no xattr.
    func setOwner(_ change: OwnerChange, of handle: borrowing Descriptor, type: FileType) throws(Errno) {
        guard change.uid != nil || change.gid != nil || change.permissions != nil else { return }
        guard case .recorded(let uid, let gid) = ownership else {
            if change.uid != nil || change.gid != nil {
                try handle.setPathOwner(uid: change.uid ?? .max, gid: change.gid ?? .max)
            }
            if let permissions = change.permissions, type != .symlink {
                try handle.setPathPermissions(permissions & 0o7777)
            }
            if convention.readsOwners { try updateRecord(change, of: handle, type: type) }
            return
        }
        if type == .regular || type == .directory { return try record(change, of: handle, type: type) }
        guard change.uid ?? uid == uid, change.gid ?? gid == gid else { throw .notPermitted }
        if let permissions = change.permissions, type != .symlink {
            try handle.setPathPermissions(permissions & 0o777)
        }
    }

    /// With which permissions a new node is made that is to have `permissions`: without those of
    /// this process it could not even be given its record.
    func firstPermissions(_ permissions: UInt32, _ type: FileType) -> UInt32 {
        guard case .recorded = ownership, type == .regular || type == .directory else { return permissions }
        return Self.usable(permissions, type)
    }

    private static func usable(_ permissions: UInt32, _ type: FileType) -> UInt32 {
        permissions & 0o777 | (type == .directory ? 0o700 : 0o600)
    }

    /// Gives a new node its owner and mode. What can hold no xattr stays this process's own.
    func setFirstOwner(
        uid: UInt32, gid: UInt32, permissions: UInt32, of handle: borrowing Descriptor, type: FileType
    ) throws(Errno) {
        var change = OwnerChange(uid: uid, gid: gid, permissions: permissions)
        if case .recorded = ownership, type != .regular, type != .directory {
            change.uid = nil
            change.gid = nil
        }
        try setOwner(change, of: handle, type: type)
    }

    /// Writes the record first: it counts from then on, whatever the disk's mode still is.
    private func record(
        _ change: OwnerChange, of handle: borrowing Descriptor, type: FileType
    ) throws(Errno) {
        let disk = try handle.status()
        let now = try owned(disk, handle)
        let wanted = OverrideStat(
            uid: change.uid ?? now.uid, gid: change.gid ?? now.gid,
            permissions: change.permissions ?? now.mode)
        let onDisk = Self.usable(wanted.permissions, type)
        let same = ownership == .recorded(uid: wanted.uid, gid: wanted.gid)
        if same, (disk.uid, disk.gid) == (wanted.uid, wanted.gid), onDisk == wanted.permissions {
            if disk.mode & 0o7777 != onDisk { try handle.setPathPermissions(onDisk) }
            return try removeRecord(of: handle)
        }
        try handle.setExtendedAttribute(OverrideStat.attribute, wanted.encoded.raw)
        if disk.mode & 0o7777 != onDisk { try handle.setPathPermissions(onDisk) }
    }

    /// Root of a user namespace took over a plain user's sandbox: a record that is there goes on
    /// to count.
    private func updateRecord(
        _ change: OwnerChange, of handle: borrowing Descriptor, type: FileType
    ) throws(Errno) {
        guard type == .regular || type == .directory, var record = try record(of: handle) else { return }
        if let uid = change.uid { record.uid = uid }
        if let gid = change.gid { record.gid = gid }
        if let permissions = change.permissions { record.permissions = permissions & 0o7777 }
        try handle.setExtendedAttribute(OverrideStat.attribute, record.encoded.raw)
    }

    private func removeRecord(of handle: borrowing Descriptor) throws(Errno) {
        do throws(Errno) {
            try handle.removeExtendedAttribute(OverrideStat.attribute)
        } catch Errno.noData {
            return
        }
    }
}

extension UpperTree {
    /// Gives a copy in `work` the owner, mode and xattrs of its lower node. Changing an owner
    /// clears setuid bits and capabilities, so that they come behind; an access control list
    /// changes the mode, which this process must still be able to use.
    func setIdentity(
        of handle: borrowing Descriptor, uid: UInt32, gid: UInt32, mode: UInt32,
        attributes: [ExtendedAttribute]
    ) throws(Errno) {
        guard let type = FileType(mode: mode) else { throw .ioError }
        if case .own = ownership {
            var change = OwnerChange(uid: uid, gid: gid, permissions: mode & 0o7777)
            let made = try handle.status()
            // Each call that writes costs several that read.
            if !convention.readsOwners, (made.uid, made.gid) == (uid, gid) {
                change.uid = nil
                change.gid = nil
                if made.mode & 0o7777 == mode & 0o7777 { change.permissions = nil }
            }
            try setOwner(change, of: handle, type: type)
        }
        for attribute in attributes {
            do throws(Errno) {
                try handle.setExtendedAttribute(attribute.name, attribute.value.raw)
            } catch {
                guard !convention.isPrivileged, Self.needsRoot(attribute.name) else { throw error }
            }
        }
        if case .recorded = ownership {
            try setFirstOwner(uid: uid, gid: gid, permissions: mode & 0o7777, of: handle, type: type)
        }
    }

    /// Xattrs that mean nothing in a mount without privileges, and that nobody else may set.
    private static func needsRoot(_ name: ByteString) -> Bool {
        name.hasPrefix("trusted.") || name.hasPrefix("security.")
    }

    /// Notes which lower node a copy continues. Only regular files and directories can hold
    /// `user.*` xattrs; for others the note is left out, as overlayfs does (`ovl_set_origin_fh`),
    /// and their inode number changes with the next mount.
    func setOrigin(_ nid: UInt64, of handle: borrowing Descriptor) throws(Errno) {
        do throws(Errno) {
            try handle.setExtendedAttribute(convention.origin, Array(String(nid).utf8).raw)
        } catch Errno.notPermitted where !convention.isPrivileged {
            return
        }
    }
}
