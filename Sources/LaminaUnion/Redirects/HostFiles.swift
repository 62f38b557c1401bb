// Attributes, bytes and listings of nodes beneath redirects.

import Glibc
import LaminaCore
import LaminaSystem

extension Redirects {
    /// On the node of a redirect's point: what it is.
    static let attribute: ByteString = "user.lamina.redirect"

    func status(of id: NodeID) throws(Errno) -> FileStatus {
        if let (image, nid) = try image(of: id) { return try image.status(nid) }
        let node = try table.node(id)
        _ = table.watches.watch(node)
        let moment = table.watches.moment(node.tree)
        return told(try node.handle().descriptor.status(), of: node, since: moment)
    }

    /// What stat shows, of which the kernel is told.
    private func told(
        _ status: FileStatus, of node: HostNode, since moment: UInt64?, isOwn: Bool = false
    ) -> FileStatus {
        var result = shown(status, of: node)
        if node.tree.isWatchable {
            result.isClaimed = table.watches.tell(status, of: node, since: moment, isOwn: isOwn)
        }
        return result
    }

    func statusAndBirth(of id: NodeID) throws(Errno) -> (FileStatus, Timestamp?) {
        if id.imageNode != nil { return (try status(of: id), nil) }
        return (try status(of: id), try? table.node(id).handle().descriptor.birthTime())
    }

    /// Applies a change and returns what stat then shows. Size first and owner before permissions: each clears
    /// bits that a later one may set.
    func setAttributes(of id: NodeID, _ change: AttributeChange) throws(Errno) -> FileStatus {
        let node = try writable(id)
        let handle = try node.handle()
        let moment = table.watches.moment(node.tree)
        if let size = change.size {
            guard node.type == .regular else { throw .invalidArgument }
            guard let size = Int64(exactly: size) else { throw .fileTooLarge }
            try handle.descriptor.setPathSize(size)
        }
        if change.uid != nil || change.gid != nil {
            let owner = onDisk(uid: change.uid ?? .max, gid: change.gid ?? .max)
            try handle.descriptor.setPathOwner(uid: owner.uid, gid: owner.gid)
        }
        if let permissions = change.permissions, node.type != .symlink {
            try handle.descriptor.setPathPermissions(permissions & 0o7777)
        }
        if change.atime != .keep || change.mtime != .keep {
            try handle.descriptor.setPathTimes(atime: change.atime, mtime: change.mtime)
        }
        return told(try handle.descriptor.status(), of: node, since: moment, isOwn: true)
    }

    func symlinkTarget(of id: NodeID) throws(Errno) -> ByteString {
        if let (image, nid) = try image(of: id) { return try image.lower.symlinkTarget(nid) }
        let node = try table.node(id)
        guard node.type == .symlink else { throw .invalidArgument }
        return try node.handle().descriptor.readLink("")
    }

    /// The filesystem that a node is on; nil for an image, which is in the store.
    func filesystemStatus(of id: NodeID) throws(Errno) -> FilesystemStatus? {
        if id.imageNode != nil { return nil }
        return try table.node(id).handle().descriptor.filesystemStatus()
    }

    /// Makes a directory's entries durable.
    func syncDirectory(_ id: NodeID) throws(Errno) {
        if id.imageNode != nil { return }
        try table.node(id).handle().descriptor.openDirectory(".").sync()
    }

    // MARK: Extended attributes

    /// Whether a node is what stands at a redirect's point.
    private func isPoint(_ node: HostNode) -> Bool {
        guard let root = try? node.tree.openRoot(), let status = try? root.status() else { return false }
        return (status.device, status.inode) == (node.device, node.inode)
    }

    func extendedAttribute(of id: NodeID, _ name: ByteString) throws(Errno) -> [UInt8] {
        if let (image, nid) = try image(of: id) { return try image.extendedAttribute(nid, name) }
        let node = try table.node(id)
        if name == Self.attribute, isPoint(node) { return node.tree.redirect.attribute }
        do throws(Errno) {
            return try node.handle().descriptor.extendedAttribute(name)
        } catch Errno.notSupported where name.hasPrefix("system.") {
            // The kernel asks for ACLs at every permission check.
            throw .noData
        }
    }

    func extendedAttributeNames(of id: NodeID) throws(Errno) -> [ByteString] {
        if let (image, nid) = try image(of: id) { return try image.extendedAttributeNames(nid) }
        let node = try table.node(id)
        let names = try node.handle().descriptor.extendedAttributeNames()
        guard isPoint(node) else { return names }
        return names.filter { $0 != Self.attribute } + [Self.attribute]
    }

    /// Sets an xattr, or removes it when `value` is nil.
    /// - Throws: `EPERM` for the one that says what a redirect is.
    func setExtendedAttribute(
        of id: NodeID, _ name: ByteString, _ value: [UInt8]?, flags: Int32
    ) throws(Errno) {
        let node = try writable(id)
        if name == Self.attribute, isPoint(node) { throw .notPermitted }
        guard let value else { return try node.handle().descriptor.removeExtendedAttribute(name) }
        try node.handle().descriptor.setExtendedAttribute(name, value.raw, flags: flags)
    }

    // MARK: Bytes and entries

    /// Opens a regular file, and nothing else: a FIFO or a device would wait for somebody, or do something.
    func open(_ id: NodeID, flags: Int32) throws(Errno) -> OpenFile.Source {
        let changes = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
        if !changes, let (image, nid) = try image(of: id) { return .lower(try image.lower.openContent(nid)) }
        let node = changes ? try writable(id) : try table.node(id)
        guard node.type == .regular else { throw .noSuchAddressOrDevice }
        do throws(Errno) {
            return .upper(SharedDescriptor(try node.handle().descriptor.reopen(Self.keptFlags(flags))), nil)
        } catch .tooManyOpenFiles {
            throw .tooManyOpenFilesInSystem
        }
    }

    /// Whether pages that the kernel has of a file that is being opened are still good.
    func isUnchanged(_ id: NodeID) -> Bool {
        if id.imageNode != nil { return true }
        guard let node = try? table.node(id), let status = try? node.handle().descriptor.status() else {
            return false
        }
        return node.isUnchangedSinceOpen(status)
    }

    /// All entries of a directory. O(entries).
    func entries(of id: NodeID) throws(Errno) -> [ListedEntry] {
        if let (image, nid) = try image(of: id) { return try image.entries(of: nid) }
        let node = try table.node(id)
        // What is above is nobody's business here, and the kernel knows it.
        let own = node.shownInode(node.inode)
        var result = [
            ListedEntry(name: ".", inode: own, type: .directory),
            ListedEntry(name: "..", inode: own, type: .directory),
        ]
        for entry in try node.handle().descriptor.openDirectory(".").entries() {
            result.append(
                ListedEntry(name: entry.name, inode: node.shownInode(entry.inode), type: entry.type))
        }
        return result
    }
}
