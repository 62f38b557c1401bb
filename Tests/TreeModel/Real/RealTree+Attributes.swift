// Attributes and xattrs of a real tree. Paths are resolved to an O_PATH descriptor first, so
// that a symlink itself can be meant.

import Glibc
import LaminaCore
import LaminaSystem

extension RealTree {
    func attributes(_ operation: Operation) throws(Errno) -> Answer {
        switch operation {
        case .setPermissions(let path, let permissions): try root.setPermissions(of: path, permissions)
        case .setOwner(let path, let uid, let gid): try root.setOwner(of: path, uid: uid, gid: gid)
        case .setTime(let path, let time): try root.setTimes(of: path, atime: .keep, mtime: .set(time))
        case .setAttribute(let path, let name, let value, let flags):
            try root.openPath(path).setExtendedAttribute(name, value.raw, flags: flags)
        case .removeAttribute(let path, let name): try root.openPath(path).removeExtendedAttribute(name)
        case .attribute(let path, let name): return .bytes(try root.openPath(path).extendedAttribute(name))
        case .attributeNames(let path):
            return .names(Set(try root.openPath(path).extendedAttributeNames()))
        case .readLink(let path): return .text(try root.readLink(path))
        case .status(let path): return .status(try NodeStatus(root.status(of: path)))
        case .list(let path):
            let directory = try root.open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
            var result: [ByteString: FileType] = [:]
            for entry in try directory.entries() {
                guard let type = entry.type, result.updateValue(type, forKey: entry.name) == nil else {
                    throw .ioError
                }
            }
            return .entries(result)
        default: break
        }
        return .done
    }
}
