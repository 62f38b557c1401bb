// Attributes and xattrs in the model, and looking without changing.

import Glibc
import LaminaCore

extension Model {
    func attributes(_ operation: Operation) throws(Errno) -> Answer {
        switch operation {
        case .setPermissions(let path, let permissions):
            try find(path, follow: true).permissions = permissions
        case .setOwner(let path, let uid, let gid):
            setOwner(of: try find(path, follow: false), uid, gid)
        case .setTime(let path, let time):
            try find(path, follow: false).time = .exactly(time)
        case .setAttribute(let path, let name, let value, let flags):
            try setAttribute(of: find(path, follow: false), name, value, flags: flags)
        case .removeAttribute(let path, let name):
            let node = try find(path, follow: false)
            guard !isRefused(name, on: node) else { throw .notPermitted }
            guard node.attributes.removeValue(forKey: name) != nil else { throw .noData }
        case .attribute(let path, let name):
            guard let value = try find(path, follow: false).attributes[name] else { throw .noData }
            return .bytes(value)
        case .attributeNames(let path):
            return .names(Set(try find(path, follow: false).attributes.keys))
        default: return try look(operation)
        }
        return .done
    }

    private func look(_ operation: Operation) throws(Errno) -> Answer {
        switch operation {
        case .readLink(let path):
            let node = try find(path, follow: false)
            guard node.type == .symlink else { throw .invalidArgument }
            return .text(node.target)
        case .status(let path): return .status(try find(path, follow: false).status)
        case .list(let path):
            let node = try find(path, follow: true)
            guard node.isDirectory else { throw .notDirectory }
            return .entries(node.entries.mapValues(\.type))
        default: return .done
        }
    }

    func setOwner(of node: ModelNode, _ uid: UInt32, _ gid: UInt32) {
        node.uid = uid
        node.gid = gid
        guard !node.isDirectory else { return }
        node.permissions &= ~0o4000
        if node.permissions & 0o0010 != 0 { node.permissions &= ~0o2000 }
        node.attributes[capability] = nil
    }

    func setAttribute(
        of node: ModelNode, _ name: ByteString, _ value: [UInt8], flags: Int32
    ) throws(Errno) {
        guard !isRefused(name, on: node) else { throw .notPermitted }
        let exists = node.attributes[name] != nil
        if flags & XattrFlag.create != 0, exists { throw .fileExists }
        if flags & XattrFlag.replace != 0, !exists { throw .noData }
        node.attributes[name] = value
    }

    /// `user.*` is for files and directories only (`xattr(7)`).
    private func isRefused(_ name: ByteString, on node: ModelNode) -> Bool {
        name.hasPrefix("user.") && node.type != .regular && !node.isDirectory
    }
}

/// Flags of `setxattr(2)`.
public enum XattrFlag {
    public static let create: Int32 = 1
    public static let replace: Int32 = 2
}
