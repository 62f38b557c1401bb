// Setuid and setgid bits that must not outlive a change of the file by somebody without
// privilege over it (`inode(7)`). The kernel says when; this says what.

import LaminaCore
import LaminaSystem

extension Union {
    /// Clears the setuid bit of a regular file, and the setgid bit where it is no mark for
    /// mandatory locking.
    /// - Returns: whether a bit was cleared.
    public func clearPrivileges(of id: NodeID) throws(Errno) -> Bool {
        let mode = try status(of: id).mode
        guard FileType(mode: mode) == .regular else { return false }
        var permissions = mode & 0o7777 & ~0o4000
        if permissions & 0o2010 == 0o2010 { permissions &= ~0o2000 }
        guard permissions != mode & 0o7777 else { return false }
        var attributes = AttributeChange()
        attributes.permissions = permissions
        _ = try setAttributes(of: id, attributes)
        return true
    }

    /// What stat shows of a node, and when it was made, where the sandbox's filesystem knows;
    /// nil for a node that only the layers have, because no archive says it.
    public func statusAndBirth(of id: NodeID) throws(Errno) -> (FileStatus, Timestamp?) {
        if let nid = untouched(id) { return (try lower.status(nid), nil) }
        if id.isRedirected { return try redirects.statusAndBirth(of: id) }
        return try withNamespace { (namespace) throws(Errno) in
            let status = try namespace.status(of: id)
            guard let node = namespace.table[id] else { return (status, nil) }
            return (status, try? namespace.upper.open(node).birthTime())
        }
    }
}
