// Files and changes: each is one call on the real tree.

import Glibc
import LaminaCore
import LaminaSystem

extension Server {
    func putOpened(_ handle: UInt64, _ message: inout Message) {
        message.put(handle)
        message.put(OpenFlag.keepCache | OpenFlag.cacheDirectory)
        message.put(0 as UInt32)
    }

    /// Who only reads needs no file: what is read are zeros. A handle is a descriptor's number and one.
    func open(_ request: Request, _ message: inout Message) throws(Errno) {
        let flags = Int32(bitPattern: field(40) as UInt32)
        guard flags & O_ACCMODE != O_RDONLY else { return putOpened(0, &message) }
        let file = try changes.tree.open(try path(request.node), flags & (O_ACCMODE | O_TRUNC | O_APPEND))
        putOpened(UInt64(file.release()) + 1, &message)
    }

    func read(_ request: Request, _ message: inout Message) throws(Errno) {
        let size = UInt64(clamping: try status(request.node).size)
        let offset: UInt64 = field(48)
        message.putZeros(Int(min(size - min(offset, size), UInt64(field(56) as UInt32), 1 << 20)))
    }

    /// `struct fuse_write_in`, 40 bytes.
    func write(_ request: Request, _ message: inout Message) throws(Errno) {
        let handle: UInt64 = field(40)
        let size: UInt32 = field(56)
        let offset: Int64 = field(48)
        guard request.length >= 80 + Int(size) else { throw .invalidArgument }
        // Nobody was asked to open it.
        let isOpen = handle > 0
        let file =
            isOpen
            ? Int32(truncatingIfNeeded: handle - 1)
            : try changes.tree.open(try path(request.node), O_WRONLY).release()
        defer { if !isOpen { close(file) } }
        let done = try withBytes(80, Int(size)) { (bytes) throws(Errno) in
            // SAFETY: the span's bytes are alive during the call.
            let done = unsafe bytes.withUnsafeBytes {
                unsafe pwrite(file, $0.baseAddress, $0.count, Int(offset))
            }
            guard done >= 0 else { throw Errno(rawValue: errno) }
            return UInt32(done)
        }
        message.put(done)
        message.put(0 as UInt32)
    }

    mutating func change(_ request: Request, _ message: inout Message) throws(Errno) {
        switch request.opcode {
        case Opcode.create:
            let (place, path) = try self.place(request.node, 56)
            let flags = Int32(bitPattern: field(40) as UInt32)
            let file = try changes.tree.open(path, flags | O_CREAT, permissions: permissions(44))
            let node = changes.add(place, at: path)
            putEntry(try file.status(), node, &message)
            putOpened(UInt64(file.release()) + 1, &message)
        case Opcode.makeDirectory:
            let (place, path) = try self.place(request.node, 48)
            try changes.tree.makeDirectory(path, permissions: permissions(40))
            putEntry(try changes.tree.status(of: path), changes.add(place, at: path), &message)
        case Opcode.unlink, Opcode.removeDirectory:
            let (place, path) = try self.place(request.node, 40)
            let isFile = request.opcode == Opcode.unlink
            try isFile ? changes.tree.removeFile(path) : changes.tree.removeDirectory(path)
            changes.remove(place)
        case Opcode.rename: try rename(request, names: 48)
        case Opcode.rename2: try rename(request, names: 56)
        case Opcode.setAttributes: try setAttributes(request, &message)
        default:
            let handle: UInt64 = field(40)
            if handle > 0, fdatasync(Int32(truncatingIfNeeded: handle - 1)) != 0 {
                throw Errno(rawValue: errno)
            }
        }
    }

    private mutating func rename(_ request: Request, names: Int) throws(Errno) {
        let (old, path) = try place(request.node, names)
        let (new, newPath) = try place(field(40), names + old.name.count + 1)
        try changes.tree.rename(path, to: changes.tree, newPath)
        changes.move(old, to: new, at: newPath)
    }

    /// Size and mode, of which one is meant: `struct fuse_setattr_in`.
    private mutating func setAttributes(_ request: Request, _ message: inout Message) throws(Errno) {
        let valid: UInt32 = field(40)
        let path = try path(request.node)
        if valid & 1 << 3 != 0 {
            try changes.tree.open(path, O_WRONLY).truncate(to: field(56))
        } else if valid & 1 != 0 {
            try changes.tree.setPermissions(of: path, permissions(108))
        }
        putAttributes(try changes.tree.status(of: path), request.node, &message)
    }

    private func permissions(_ offset: Int) -> UInt32 {
        let mode: UInt32 = field(offset)
        return mode & 0o7777
    }

    private func path(_ node: UInt64) throws(Errno) -> ByteString {
        if let path = changes.path(node) { return path }
        guard node > 0, node <= UInt64(mirror.nodes.count) else { throw .staleNFSFileHandle }
        return mirror.path(UInt32(node - 1))
    }

    /// The name at a byte offset of the request, and its path.
    private func place(_ parent: UInt64, _ offset: Int) throws(Errno) -> (Place, ByteString) {
        let name = withName(offset) { name in name.indices.map { name[$0] } }
        let directory = try path(parent)
        let path = directory == "." ? ByteString(name) : directory.appending(ByteString(name))
        return (Place(parent: parent, name: name), path)
    }
}
