// Making, renaming and removing names beneath redirects. The kernel gives new files their owner in the same step
// (`FileIdentity`), as well as what a setgid directory or a default ACL hands down.

import Glibc
import LaminaCore
import LaminaSystem

extension Redirects {
    /// Makes a node with `make`, which gets a directory, a name in it and permissions; counted as looked up.
    func create(
        _ name: ByteString, in parent: NodeID, _ creation: Creation,
        _ make: (borrowing Descriptor, ByteString, UInt32) throws(Errno) -> Void
    ) throws(Errno) -> Entry {
        let directory = try writable(parent)
        let moment = table.watches.moment(directory.tree)
        try making(name, in: directory, creation, make)
        return try enter(
            directory.step(to: name), directory.tree, as: name, in: parent, since: moment, isOwn: true)
    }

    /// Makes and opens a regular file, counted as looked up.
    func createFile(
        _ name: ByteString, in parent: NodeID, _ creation: Creation, flags: Int32
    ) throws(Errno) -> (Entry, SharedDescriptor) {
        let directory = try writable(parent)
        let moment = table.watches.moment(directory.tree)
        var file: SharedDescriptor?
        try making(name, in: directory, creation) { (handle, name, permissions) throws(Errno) in
            file = SharedDescriptor(
                try handle.open(
                    name, Self.keptFlags(flags) | O_CREAT | O_EXCL | O_NOFOLLOW, permissions: permissions))
        }
        guard let file else { throw .ioError }
        // By the file and not by its name, which somebody on the host may give to another at once.
        let handle = try file.descriptor.reopen(OpenFlag.path)
        let entry = try enter(
            handle, directory.tree, as: name, in: parent, since: moment, isOwn: true)
        return (entry, file)
    }

    /// Makes and opens a file without a name, counted as looked up.
    func createTemporary(
        in parent: NodeID, _ creation: Creation, flags: Int32
    ) throws(Errno) -> (Entry, SharedDescriptor) {
        let directory = try writable(parent)
        var file: SharedDescriptor?
        try making(".", in: directory, creation) { (handle, name, permissions) throws(Errno) in
            let kept = Self.keptFlags(flags) & ~O_TRUNC | flags & O_EXCL
            file = SharedDescriptor(
                try handle.open(name, OpenFlag.temporary | kept, permissions: permissions))
        }
        guard let file else { throw .ioError }
        return (try enter(file.descriptor.reopen(OpenFlag.path), directory.tree), file)
    }

    private func making(
        _ name: ByteString, in directory: HostNode, _ creation: Creation,
        _ make: (borrowing Descriptor, ByteString, UInt32) throws(Errno) -> Void
    ) throws(Errno) {
        if name != ".", tree(at: name, in: directory.id) != nil { throw .fileExists }
        guard !name.bytes.contains(UInt8(ascii: "/")) else { throw .invalidArgument }
        let handle = try directory.handle()
        var permissions = creation.permissions
        if permissions & creation.umask != 0, try !Self.hasDefaultList(handle.descriptor) {
            permissions &= ~creation.umask
        }
        try FileIdentity.run(as: creation.uid, creation.gid) { () throws(Errno) in
            try make(handle.descriptor, name, permissions)
        }
    }

    /// Whether the kernel takes the place of the umask by itself (`acl(5)`).
    private static func hasDefaultList(_ directory: borrowing Descriptor) throws(Errno) -> Bool {
        do throws(Errno) {
            return try !directory.extendedAttribute(AccessControlList.defaultName).isEmpty
        } catch  where error == .noData || error == .notSupported {
            return false
        }
    }

    /// What of an open's flags its file on the host is opened with.
    static func keptFlags(_ flags: Int32) -> Int32 {
        flags & (O_ACCMODE | O_SYNC | O_DSYNC | O_TRUNC)
    }

    /// Makes `name` one more name of `id`, counted as looked up; nil when no redirect has a say.
    func link(_ id: NodeID, to name: ByteString, in parent: NodeID) throws(Errno) -> Entry? {
        guard id.isRedirected || parent.isRedirected else { return nil }
        guard id.isRedirected, parent.isRedirected else { throw .improperLink }
        try refuseImages(id, parent)
        let (file, directory) = (try table.node(id), try table.node(parent))
        guard file.tree === directory.tree else { throw .improperLink }
        _ = try writable(parent)
        guard file.type != .directory else { throw .notPermitted }
        if tree(at: name, in: parent) != nil { throw .fileExists }
        guard !name.bytes.contains(UInt8(ascii: "/")) else { throw .invalidArgument }
        let handle = try file.handle()
        let moment = table.watches.moment(file.tree)
        try handle.descriptor.linkOpenFile(to: directory.handle().descriptor, name)
        return try enter(
            handle.descriptor.duplicate(), file.tree, as: name, in: parent, since: moment, isOwn: true)
    }

    /// - Throws: `EROFS` for two nodes of one image, `EXDEV` for one of an image and another.
    private func refuseImages(_ id: NodeID, _ other: NodeID) throws(Errno) {
        let images = (id.imageNode?.image, other.imageNode?.image)
        guard images.0 != nil || images.1 != nil else { return }
        throw images.0 == images.1 ? .readOnlyFileSystem : .improperLink
    }

    /// Removes a name; false when no redirect has a say.
    func remove(_ name: ByteString, in parent: NodeID, isDirectory: Bool) throws(Errno) -> Bool {
        try refusePoint(name, in: parent)
        guard parent.isRedirected else { return false }
        let node = try writable(parent)
        let directory = try node.handle()
        guard !name.bytes.contains(UInt8(ascii: "/")) else { throw .invalidArgument }
        if isDirectory {
            try directory.descriptor.removeDirectory(name)
        } else {
            try directory.descriptor.removeFile(name)
        }
        table.watches.removed(name, in: node)
        return true
    }

    /// Renames; false when no redirect has a say.
    /// - Throws: `EXDEV` across an edge, `EBUSY` for a point.
    func rename(
        _ name: ByteString, in parent: NodeID, to newName: ByteString, in newParent: NodeID, flags: UInt32
    ) throws(Errno) -> Bool {
        if parent.isRedirected || newParent.isRedirected {
            guard parent.isRedirected, newParent.isRedirected else { throw .improperLink }
            try refuseImages(parent, newParent)
            guard try table.node(parent).tree === table.node(newParent).tree else { throw .improperLink }
        }
        try refusePoint(name, in: parent)
        try refusePoint(newName, in: newParent)
        guard parent.isRedirected else { return false }
        guard flags & ~(RenameFlag.noReplace | RenameFlag.exchange) == 0 else { throw .invalidArgument }
        for part in [name, newName] where part.bytes.contains(UInt8(ascii: "/")) { throw .invalidArgument }
        let (from, to) = (try writable(parent).handle(), try writable(newParent).handle())
        let tree = try table.node(newParent).tree
        let moment = table.watches.moment(tree)
        try from.descriptor.rename(name, to: to.descriptor, newName, flags: flags)
        // The kernel knows the file by its new name for as long as it knew it by the old one.
        table.watches.renamed(
            NodeName(parent: parent, name: name), to: NodeName(parent: newParent, name: newName),
            isExchange: flags & RenameFlag.exchange != 0, since: moment)
        let claim = tree.claim
        _ = claim?.tell(newName, in: newParent)
        if flags & RenameFlag.exchange != 0 { _ = claim?.tell(name, in: parent) }
        return true
    }
}
