// The union's operations on a node's attributes.

import Glibc
import LaminaCore
import LaminaSystem

extension Union {
    /// What stat shows of a node. Without a lock for a node that only the layers know.
    public func status(of id: NodeID) throws(Errno) -> FileStatus {
        if let nid = untouched(id) { return try lower.status(nid) }
        if id.isRedirected { return try redirects.status(of: id) }
        return try withNamespace { (namespace) throws(Errno) in try namespace.status(of: id) }
    }

    /// Changes attributes and returns what stat then shows.
    public func setAttributes(of id: NodeID, _ attributes: AttributeChange) throws(Errno) -> FileStatus {
        if id.isRedirected { return try redirects.setAttributes(of: id, attributes) }
        return try change { (namespace) throws(Errno) in try namespace.setAttributes(of: id, attributes) }
    }

    /// The target of a symlink.
    public func symlinkTarget(of id: NodeID) throws(Errno) -> ByteString {
        if let nid = untouched(id) { return try lower.symlinkTarget(nid) }
        if id.isRedirected { return try redirects.symlinkTarget(of: id) }
        return try withNamespace { (namespace) throws(Errno) in
            guard let node = namespace.table[id] else {
                guard let nid = id.nid else { throw .staleNFSFileHandle }
                return try namespace.lower.symlinkTarget(nid)
            }
            return try namespace.upper.open(node).readLink("")
        }
    }

    /// The value of an xattr; `ENODATA` when there is none.
    public func extendedAttribute(of id: NodeID, _ name: ByteString) throws(Errno) -> [UInt8] {
        if let nid = untouched(id) {
            guard !upper.convention.hides(name), let value = try lower.extendedAttribute(nid, name) else {
                throw .noData
            }
            return value
        }
        if id.isRedirected { return try redirects.extendedAttribute(of: id, name) }
        return try withNamespace { (namespace) throws(Errno) in
            try namespace.extendedAttribute(of: id, name)
        }
    }

    /// The names of all xattrs that the container sees.
    public func extendedAttributeNames(of id: NodeID) throws(Errno) -> [ByteString] {
        if id.isRedirected { return try redirects.extendedAttributeNames(of: id) }
        return try withNamespace { (namespace) throws(Errno) in
            try namespace.extendedAttributeNames(of: id)
        }
    }

    /// Sets an xattr; `flags` are `XATTR_CREATE` and `XATTR_REPLACE`.
    /// - Parameter clearingSetgid: whether the setgid bit goes away with a new access ACL.
    public func setExtendedAttribute(
        of id: NodeID, _ name: ByteString, _ value: [UInt8], flags: Int32, clearingSetgid: Bool = false
    ) throws(Errno) {
        let clearsSetgid = clearingSetgid && name == AccessControlList.accessName
        if id.isRedirected {
            try redirects.setExtendedAttribute(of: id, name, value, flags: flags)
            if clearsSetgid, let change = Self.clearingSetgid(in: try redirects.status(of: id)) {
                _ = try redirects.setAttributes(of: id, change)
            }
            return
        }
        try change { (namespace) throws(Errno) in
            try namespace.setExtendedAttribute(of: id, name, value, flags: flags)
            if clearsSetgid, let change = Self.clearingSetgid(in: try namespace.status(of: id)) {
                _ = try namespace.setAttributes(of: id, change)
            }
        }
    }

    private static func clearingSetgid(in status: FileStatus) -> AttributeChange? {
        guard status.mode & 0o2000 != 0 else { return nil }
        var change = AttributeChange()
        change.permissions = status.mode & 0o5777
        return change
    }

    /// Removes an xattr; `ENODATA` when there is none.
    public func removeExtendedAttribute(of id: NodeID, _ name: ByteString) throws(Errno) {
        if id.isRedirected { return try redirects.setExtendedAttribute(of: id, name, nil, flags: 0) }
        try change { (namespace) throws(Errno) in
            try namespace.removeExtendedAttribute(of: id, name)
        }
    }

    /// The filesystem where a node's new bytes go: the sandbox's, but for redirects.
    public func filesystemStatus(of id: NodeID = .root) throws(Errno) -> FilesystemStatus {
        if id.isRedirected { return try redirects.filesystemStatus(of: id) }
        return try upper.root.filesystemStatus()
    }
}
