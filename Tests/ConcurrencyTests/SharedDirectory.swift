// SharedDirectory is one directory that many threads change at once: of a real mount, or of a
// union without FUSE between, so that a race detector sees all of it.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

/// The operations that are raced, each as its system call behaves.
protocol SharedDirectory: Sendable {
    /// Makes an empty file; `EEXIST` when the name is taken.
    func create(_ name: ByteString) throws(Errno)
    func remove(_ name: ByteString) throws(Errno)
    func rename(_ name: ByteString, to newName: ByteString, flags: UInt32) throws(Errno)
    func link(_ name: ByteString, to newName: ByteString) throws(Errno)
    func status(_ name: ByteString) throws(Errno) -> FileStatus
    func setPermissions(_ name: ByteString, _ permissions: UInt32) throws(Errno)
    /// All names but `.` and `..`, as often as they are listed.
    func list() throws(Errno) -> [ByteString]
}

/// A directory of a mount.
struct MountedDirectory: SharedDirectory {
    let path: ByteString
    private let descriptor: SharedDescriptor

    init(_ path: ByteString) throws(Errno) {
        self.path = path
        descriptor = SharedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
    }

    func create(_ name: ByteString) throws(Errno) {
        _ = try descriptor.descriptor.open(name, O_WRONLY | O_CREAT | O_EXCL, permissions: 0o644)
    }

    func remove(_ name: ByteString) throws(Errno) { try descriptor.descriptor.removeFile(name) }

    func rename(_ name: ByteString, to newName: ByteString, flags: UInt32) throws(Errno) {
        try descriptor.descriptor.rename(name, to: descriptor.descriptor, newName, flags: flags)
    }

    func link(_ name: ByteString, to newName: ByteString) throws(Errno) {
        try descriptor.descriptor.link(name, to: descriptor.descriptor, newName)
    }

    func status(_ name: ByteString) throws(Errno) -> FileStatus {
        try descriptor.descriptor.status(of: name)
    }

    func setPermissions(_ name: ByteString, _ permissions: UInt32) throws(Errno) {
        try descriptor.descriptor.setPermissions(of: name, permissions)
    }

    func list() throws(Errno) -> [ByteString] {
        // An open of its own: the position belongs to an open directory.
        try Descriptor.open(path, O_RDONLY | O_DIRECTORY).entries().map(\.name)
    }
}

/// A directory of a union in this process. Keeps the kernel's part of the bargain: what a
/// lookup counted is forgotten.
struct UnionDirectory: SharedDirectory {
    let union: Union
    let id: NodeID

    private func found<Value>(
        _ name: ByteString, _ body: (Entry) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        let union = union
        let id = id
        let entry = try name.withSpan { (span) throws(Errno) in try union.lookup(span, in: id) }
        guard let entry else { throw .noSuchFileOrDirectory }
        defer { union.forget(entry.id, count: 1) }
        return try body(entry)
    }

    func create(_ name: ByteString) throws(Errno) {
        let (entry, _) = try union.createFile(
            name, in: id, Creation(permissions: 0o644, uid: 0, gid: 0), flags: O_WRONLY | O_CREAT | O_EXCL)
        union.forget(entry.id, count: 1)
    }

    func remove(_ name: ByteString) throws(Errno) {
        try found(name) { (_) throws(Errno) in try union.removeFile(name, in: id) }
    }

    func rename(_ name: ByteString, to newName: ByteString, flags: UInt32) throws(Errno) {
        try found(name) { (_) throws(Errno) in
            try union.rename(name, in: id, to: newName, in: id, flags: flags)
        }
    }

    func link(_ name: ByteString, to newName: ByteString) throws(Errno) {
        try found(name) { (entry) throws(Errno) in
            let made = try union.link(entry.id, to: newName, in: id)
            union.forget(made.id, count: 1)
        }
    }

    func status(_ name: ByteString) throws(Errno) -> FileStatus {
        try found(name) { (entry) throws(Errno) in try union.status(of: entry.id) }
    }

    func setPermissions(_ name: ByteString, _ permissions: UInt32) throws(Errno) {
        try found(name) { (entry) throws(Errno) in
            var change = AttributeChange()
            change.permissions = permissions
            _ = try union.setAttributes(of: entry.id, change)
        }
    }

    func list() throws(Errno) -> [ByteString] {
        var names: [ByteString] = []
        try union.forEachEntry(of: id, from: 0) { name, _, _, _ in
            let name = ByteString(name)
            if name != "." && name != ".." { names.append(name) }
            return true
        }
        return names
    }
}
