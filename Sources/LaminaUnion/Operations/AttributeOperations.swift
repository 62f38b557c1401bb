// The union's operations on a node's attributes.

import Glibc
import LaminaCore
import LaminaSystem

extension Union {
    /// What stat shows of a node. Without a lock for a node that only the layers know.
    public func status(of id: NodeID) throws(Errno) -> FileStatus {
        if let nid = untouched(id) { return try lower.status(nid) }
        return try withNamespace { (namespace) throws(Errno) in try namespace.status(of: id) }
    }

    /// Changes attributes and returns what stat then shows.
    public func setAttributes(of id: NodeID, _ attributes: AttributeChange) throws(Errno) -> FileStatus {
        try change { (namespace) throws(Errno) in try namespace.setAttributes(of: id, attributes) }
    }

    /// The target of a symlink.
    public func symlinkTarget(of id: NodeID) throws(Errno) -> ByteString {
        if let nid = untouched(id) { return try lower.symlinkTarget(nid) }
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
        return try withNamespace { (namespace) throws(Errno) in
            try namespace.extendedAttribute(of: id, name)
        }
    }

    /// The names of all xattrs that the container sees.
    public func extendedAttributeNames(of id: NodeID) throws(Errno) -> [ByteString] {
        try withNamespace { (namespace) throws(Errno) in try namespace.extendedAttributeNames(of: id) }
    }

    /// Sets an xattr; `flags` are `XATTR_CREATE` and `XATTR_REPLACE`.
    /// - Parameter clearingSetgid: whether the setgid bit goes away with a new access ACL.
    public func setExtendedAttribute(
        of id: NodeID, _ name: ByteString, _ value: [UInt8], flags: Int32, clearingSetgid: Bool = false
    ) throws(Errno) {
        try change { (namespace) throws(Errno) in
            try namespace.setExtendedAttribute(of: id, name, value, flags: flags)
            guard clearingSetgid, name == AccessControlList.accessName else { return }
            let mode = try namespace.status(of: id).mode
            guard mode & 0o2000 != 0 else { return }
            var attributes = AttributeChange()
            attributes.permissions = mode & 0o5777
            _ = try namespace.setAttributes(of: id, attributes)
        }
    }

    /// Removes an xattr; `ENODATA` when there is none.
    public func removeExtendedAttribute(of id: NodeID, _ name: ByteString) throws(Errno) {
        try change { (namespace) throws(Errno) in
            try namespace.removeExtendedAttribute(of: id, name)
        }
    }

    /// The sandbox's filesystem: where new bytes go.
    public func filesystemStatus() throws(Errno) -> FilesystemStatus {
        try upper.root.filesystemStatus()
    }
}
