// Requests about names: forget, and everything that makes or removes one.

import CFuse3
import Glibc
import LaminaCore
import LaminaUnion

extension fuse_lowlevel_ops {
    mutating func setForgetHandlers() {
        unsafe forget = { request, id, count in
            unsafe answer(request, with: { reply, _ in reply.none() }) { (server) throws(Errno) in
                server.union.forget(NodeID(rawValue: id), count: count)
            }
        }
        unsafe forget_multi = { request, count, entries in
            unsafe answer(request, with: { reply, _ in reply.none() }) { (server) throws(Errno) in
                guard let entries = unsafe entries else { return }
                // SAFETY: libfuse hands over `count` entries.
                for index in 0..<count {
                    let entry = unsafe entries[index]
                    server.union.forget(NodeID(rawValue: entry.ino), count: entry.nlookup)
                }
            }
        }
    }

    mutating func setCreateHandlers() {
        unsafe mkdir = { request, parent, name, mode in
            unsafe answer(request, with: { reply, entry in reply.entry(entry) }) { (server) throws(Errno) in
                guard let request = unsafe request else { throw .ioError }
                return try server.union.makeDirectory(
                    try unsafe byteString(name), in: NodeID(rawValue: parent),
                    unsafe Creation(mode: mode, request: request))
            }
        }
        unsafe mknod = { request, parent, name, mode, device in
            unsafe answer(request, with: { reply, entry in reply.entry(entry) }) { (server) throws(Errno) in
                guard let request = unsafe request, let type = FileType(mode: mode) else {
                    throw .invalidArgument
                }
                let number = DeviceNumber(encoded: UInt32(truncatingIfNeeded: device))
                return try server.union.makeNode(
                    try unsafe byteString(name), in: NodeID(rawValue: parent), type: type, device: number,
                    unsafe Creation(mode: mode, request: request))
            }
        }
        unsafe symlink = { request, target, parent, name in
            unsafe answer(request, with: { reply, entry in reply.entry(entry) }) { (server) throws(Errno) in
                guard let request = unsafe request else { throw .ioError }
                return try server.union.makeSymlink(
                    try unsafe byteString(name), in: NodeID(rawValue: parent),
                    target: try unsafe byteString(target), unsafe Creation(mode: 0o777, request: request))
            }
        }
        unsafe link = { request, id, parent, name in
            unsafe answer(request, with: { reply, entry in reply.entry(entry) }) { (server) throws(Errno) in
                try server.union.link(
                    NodeID(rawValue: id), to: try unsafe byteString(name), in: NodeID(rawValue: parent))
            }
        }
    }

    mutating func setRemoveHandlers() {
        unsafe unlink = { request, parent, name in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                try server.union.removeFile(try unsafe byteString(name), in: NodeID(rawValue: parent))
            }
        }
        unsafe rmdir = { request, parent, name in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                try server.union.removeDirectory(try unsafe byteString(name), in: NodeID(rawValue: parent))
            }
        }
        unsafe rename = { request, parent, name, newParent, newName, flags in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                try server.union.rename(
                    try unsafe byteString(name), in: NodeID(rawValue: parent),
                    to: try unsafe byteString(newName), in: NodeID(rawValue: newParent), flags: flags)
            }
        }
    }
}
