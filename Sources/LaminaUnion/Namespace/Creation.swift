// Creation owns what a new node gets from its maker and from its directory: permissions,
// owner, group and ACLs.

import Glibc
import LaminaCore
import LaminaSystem

/// Who makes a node, and with which permissions.
public struct Creation: Sendable {
    public var permissions: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// The maker's, for a directory that hands down no ACL.
    public var umask: UInt32
    private(set) var accessList: AccessControlList?
    private(set) var defaultList: AccessControlList?

    public init(permissions: UInt32, uid: UInt32, gid: UInt32, umask: UInt32 = 0) {
        self.permissions = permissions & 0o7777
        self.uid = uid
        self.gid = gid
        self.umask = umask & 0o777
    }

    /// What becomes of this in a directory. A setgid one hands down its group, and to
    /// directories its bit (`inode(7)`); a default ACL takes the place of the umask (`acl(5)`).
    func inheriting(_ group: UInt32?, _ list: AccessControlList?, type: FileType) -> Creation {
        var result = self
        if let group {
            result.gid = group
            if type == .directory { result.permissions |= 0o2000 }
        }
        guard type != .symlink else { return result }
        guard var list else {
            result.permissions &= ~umask
            return result
        }
        if type == .directory { result.defaultList = list }
        list.inherit(&result.permissions)
        if !list.isMinimal { result.accessList = list }
        return result
    }

    /// This process's, which never change.
    private static let server = (uid: geteuid(), gid: getegid())

    /// Whether a node is complete as soon as it is made, so that no other step can be
    /// missed by a crash.
    func isOneStep(_ ownership: Ownership) -> Bool {
        ownership == .own && uid == Self.server.uid && gid == Self.server.gid && permissions & 0o7000 == 0
            && accessList == nil
            && defaultList == nil
    }

    /// Gives a new node what making it could not. Owner first: changing it clears bits.
    func apply(to node: borrowing Descriptor, type: FileType, _ upper: UpperTree) throws(Errno) {
        try upper.setFirstOwner(uid: uid, gid: gid, permissions: permissions, of: node, type: type)
        if let accessList {
            try node.setExtendedAttribute(AccessControlList.accessName, accessList.bytes.raw)
        }
        if let defaultList {
            try node.setExtendedAttribute(AccessControlList.defaultName, defaultList.bytes.raw)
        }
    }
}
