// Identities owns how ids of users and groups cross the border between union and kernel. The
// union and its sandbox know the image's ids alone; the mount shows others where a map says so.

import CFuse3
import LaminaCore
import LaminaUnion

/// The maps of a mount; nil leaves the ids of one kind as they are.
public struct Identities: Sendable {
    private let users: IdentityMap?
    private let groups: IdentityMap?

    public init(users: IdentityMap?, groups: IdentityMap?) {
        self.users = users
        self.groups = groups
    }

    /// What the mount shows for an id of the image.
    func shownUser(_ id: UInt32) -> UInt32 { users?.shown(id) ?? id }
    func shownGroup(_ id: UInt32) -> UInt32 { groups?.shown(id) ?? id }

    /// The image's id behind one that the mount shows; nil when there is none.
    public func storedUser(_ id: UInt32) -> UInt32? { users.map { $0.stored(id) } ?? id }
    public func storedGroup(_ id: UInt32) -> UInt32? { groups.map { $0.stored(id) } ?? id }

    /// Puts the image's ids into a change that came from the kernel.
    /// - Throws: `EINVAL` for one that the image does not have.
    func store(_ change: inout AttributeChange) throws(Errno) {
        if let uid = change.uid {
            guard let user = storedUser(uid) else { throw .invalidArgument }
            change.uid = user
        }
        if let gid = change.gid {
            guard let group = storedGroup(gid) else { throw .invalidArgument }
            change.gid = group
        }
    }
}

/// The maps of the mount that a request is about; nil when there are none.
@unsafe
@inline(__always)
func identities(of request: fuse_req_t) -> Identities? {
    guard let pointer = unsafe fuse_req_userdata(request) else { return nil }
    // SAFETY: the session keeps the server alive until its loop has ended.
    return unsafe Unmanaged<Server>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.identities }
}
