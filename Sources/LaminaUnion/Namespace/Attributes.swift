// Changing what stat shows, and extended attributes.

import Glibc
import LaminaCore
import LaminaSystem

/// A change of attributes; nil and `.keep` leave one as it is.
public struct AttributeChange: Sendable {
    public var permissions: UInt32?
    public var uid: UInt32?
    public var gid: UInt32?
    /// Bytes.
    public var size: UInt64?
    public var atime: TimeChange = .keep
    public var mtime: TimeChange = .keep

    public init() {}
}

extension Namespace {
    /// Applies a change and returns what stat then shows.
    mutating func setAttributes(of id: NodeID, _ change: AttributeChange) throws(Errno) -> FileStatus {
        var change = change
        if let size = change.size {
            // A copy may be made with the new size already, and then nothing would tell the time.
            let isCut = try Int64(clamping: size) < status(of: id).size
            if isCut, change.mtime == .keep { change.mtime = .now }
            try setSize(of: id, to: size)
        }
        let node = try copyUp(id)
        let handle = try upper.open(node)
        node.handsDown = nil
        let owner = OwnerChange(uid: change.uid, gid: change.gid, permissions: change.permissions)
        try upper.setOwner(owner, of: handle, type: node.type)
        if change.atime != .keep || change.mtime != .keep {
            try handle.setPathTimes(atime: change.atime, mtime: change.mtime)
        }
        return visible(try upper.status(of: handle), of: node)
    }

    /// The value of an xattr.
    /// - Throws: `ENODATA` when the node has none of this name.
    func extendedAttribute(of id: NodeID, _ name: ByteString) throws(Errno) -> [UInt8] {
        guard !upper.convention.hides(name) else { throw .noData }
        if let node = table[id] {
            if node.isPlain, Self.isProbe(name) { throw .noData }
            do throws(Errno) {
                return try upper.open(node).extendedAttribute(name)
            } catch Errno.notSupported where name.hasPrefix("system.") {
                // The kernel asks for ACLs at every permission check.
                throw .noData
            }
        }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        guard let value = try lower.extendedAttribute(nid, name) else { throw .noData }
        return value
    }

    /// What the kernel asks for unbidden: at the first write of a file, and where permissions are checked.
    private static func isProbe(_ name: ByteString) -> Bool {
        name == "security.capability" || name == AccessControlList.accessName
            || name == AccessControlList.defaultName
    }

    /// The names of all xattrs that the container sees.
    func extendedAttributeNames(of id: NodeID) throws(Errno) -> [ByteString] {
        let convention = upper.convention
        if let node = table[id] {
            return try upper.open(node).extendedAttributeNames().filter { !convention.hides($0) }
        }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        return try lower.extendedAttributes(nid).map(\.name)
    }

    mutating func setExtendedAttribute(
        of id: NodeID, _ name: ByteString, _ value: [UInt8], flags: Int32
    ) throws(Errno) {
        guard !upper.convention.hides(name) else { throw .notSupported }
        let node = try copyUp(id)
        node.forgetAttributes()
        try upper.open(node).setExtendedAttribute(name, value.raw, flags: flags)
    }

    mutating func removeExtendedAttribute(of id: NodeID, _ name: ByteString) throws(Errno) {
        guard !upper.convention.hides(name) else { throw .noData }
        _ = try extendedAttribute(of: id, name)
        let node = try copyUp(id)
        node.forgetAttributes()
        try upper.open(node).removeExtendedAttribute(name)
    }
}
