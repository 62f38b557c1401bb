// Making new names in the sandbox: files, directories, nodes, symlinks and links.

import Glibc
import LaminaCore
import LaminaSystem

/// Who makes a node, and with which permissions.
public struct Creation: Sendable {
    public var permissions: UInt32
    public var uid: UInt32
    public var gid: UInt32

    public init(permissions: UInt32, uid: UInt32, gid: UInt32) {
        self.permissions = permissions & 0o7777
        self.uid = uid
        self.gid = gid
    }

    /// What becomes of this in a directory: a setgid one hands down its group, and to
    /// directories its bit (`inode(7)`).
    func inheriting(from directory: FileStatus, type: FileType) -> Creation {
        guard directory.mode & 0o2000 != 0 else { return self }
        var result = self
        result.gid = directory.gid
        if type == .directory { result.permissions |= 0o2000 }
        return result
    }
}

extension Namespace {
    /// Makes a node with `make`, which gets a directory and a path in it, and gives it its
    /// owner. A whiteout of the name is replaced in one step.
    mutating func create(
        _ name: ByteString, in parent: NodeID, type: FileType, _ creation: Creation,
        _ make: (borrowing Descriptor, ByteString, UInt32) throws(Errno) -> Void
    ) throws(Errno) -> Entry {
        let directory = try ensureDirectory(parent)
        let creation = creation.inheriting(from: try upper.status(of: directory), type: type)
        try occupy(name, in: directory, directoryWanted: type == .directory) { (parent, path) throws(Errno) in
            try make(parent, path, creation.permissions)
            try own(path, in: parent, type: type, creation)
        }
        guard let status = try upper.status(of: name, in: directory) else { throw .ioError }
        let node = adopt(name, in: directory, status: status, type: type, lower: nil)
        return Entry(id: node.id, status: visible(status, of: node))
    }

    private func own(
        _ path: ByteString, in parent: borrowing Descriptor, type: FileType, _ creation: Creation
    ) throws(Errno) {
        try parent.setOwner(of: path, uid: creation.uid, gid: creation.gid)
        // chown clears these bits of a file; a directory's setgid bit may be dropped by mkdir.
        if creation.permissions & 0o7000 != 0, type != .symlink {
            try parent.setPermissions(of: path, creation.permissions)
        }
    }

    /// Runs `make` so that its result stands at `name`, directly or, over a whiteout, by
    /// way of `work`.
    /// - Throws: `EEXIST` when the container sees something there.
    private func occupy(
        _ name: ByteString, in directory: UpperNode, directoryWanted: Bool,
        _ make: (borrowing Descriptor, ByteString) throws(Errno) -> Void
    ) throws(Errno) {
        guard let existing = try upper.status(of: name, in: directory) else {
            if try lowerHas(name, in: directory) { throw .fileExists }
            return try upper.withPlace(of: name, in: directory, make)
        }
        guard existing.isWhiteout else { throw .fileExists }
        let temporary = upper.temporaryName()
        try make(upper.work, temporary)
        let upper = self.upper
        guard directoryWanted else {
            return try upper.withPlace(of: name, in: directory) { (parent, path) throws(Errno) in
                try upper.work.rename(temporary, to: parent, path)
            }
        }
        try upper.work.openPath(temporary).setExtendedAttribute(
            upper.convention.opaque, [UInt8(ascii: "y")].raw)
        try upper.withPlace(of: name, in: directory) { (parent, path) throws(Errno) in
            try upper.work.rename(temporary, to: parent, path, flags: RenameFlag.exchange)
        }
        try upper.work.removeFile(temporary)
    }

    /// Makes `name` one more name of `id`.
    mutating func link(_ id: NodeID, to name: ByteString, in parent: NodeID) throws(Errno) -> Entry {
        let node = try copyUp(id)
        guard node.type != .directory else { throw .notPermitted }
        try leaveOwnName(node)
        let directory = try ensureDirectory(parent)
        let handle = try upper.open(node)
        try occupy(name, in: directory, directoryWanted: false) { (parent, path) throws(Errno) in
            try handle.linkOpenFile(to: parent, path)
        }
        node.addName(name, in: directory)
        return Entry(id: node.id, status: visible(try upper.status(of: node), of: node))
    }
}
