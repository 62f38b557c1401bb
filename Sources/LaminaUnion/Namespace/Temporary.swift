// Files without a name (`O_TMPFILE`). One is an inode of the sandbox's filesystem that
// only its descriptor keeps, until it is closed or linkat(2) gives it a name.

import Glibc
import LaminaCore
import LaminaSystem

extension Namespace {
    /// Makes a file without a name that belongs to `parent`, which is not copied up for it.
    mutating func createTemporary(in parent: NodeID, _ creation: Creation) throws(Errno) -> Entry {
        let directory = try status(of: parent)
        if directory.linkCount == 0 { throw .noSuchFileOrDirectory }
        let creation = creation.inheriting(
            directory.mode & 0o2000 != 0 ? directory.gid : nil, try defaultList(of: parent), type: .regular)
        let file = try upper.work.open(
            ".", OpenFlag.temporary | O_RDWR,
            permissions: upper.firstPermissions(creation.permissions, .regular) & 0o777)
        try creation.apply(to: file, type: .regular, upper)
        let status = try upper.status(of: file)
        let node = table.insert(type: .regular, inode: status.inode, lower: nil)
        node.anchor = SharedDescriptor(file)
        return Entry(id: node.id, status: visible(status, of: node))
    }
}

extension Union {
    /// Makes and opens a file without a name, counted as looked up.
    /// - Throws: `EOPNOTSUPP` where the sandbox's filesystem has no such files.
    public func createTemporary(
        in parent: NodeID, _ creation: Creation, flags: Int32
    ) throws(Errno) -> (Entry, OpenFile) {
        if parent.isRedirected {
            let (entry, file) = try redirects.createTemporary(in: parent, creation, flags: flags)
            return (entry, OpenFile(id: entry.id, union: self, source: .upper(file, nil)))
        }
        let entry = try change { (namespace) throws(Errno) in
            let entry = try namespace.createTemporary(in: parent, creation)
            namespace.remember(entry.id)
            return entry
        }
        do throws(Errno) {
            return (
                entry, try open(entry.id, flags: flags & ~(OpenFlag.temporary | O_EXCL | O_CREAT | O_TRUNC))
            )
        } catch {
            forget(entry.id, count: 1)
            throw error
        }
    }
}
