// Changes: each is one call on the real tree, at a path that is known, and one for the new attributes: what a server
// must at least do.

import Glibc
import LaminaCore
import LaminaSystem

extension Server {
    mutating func change(_ request: Request, _ message: inout Message) throws(Errno) {
        switch request.opcode {
        case Opcode.create: try create(request, &message)
        case Opcode.makeDirectory:
            let place = try place(request.node, 48)
            try tree.makeDirectory(place.path, permissions: permissions(40))
            try putNew(place, &message)
        case Opcode.makeNode:
            let place = try place(request.node, 56)
            let number: UInt32 = field(44)
            let device = DeviceNumber(
                major: number >> 8 & 0xFFF, minor: number & 0xFF | number >> 12 & 0xFFF00)
            try tree.makeNode(place.path, mode: field(40), device: device)
            try putNew(place, &message)
        case Opcode.makeSymlink:
            let place = try place(request.node, 40)
            let target = withName(40 + place.name.count + 1) { ByteString($0) }
            try tree.makeSymlink(place.path, target: target)
            try putNew(place, &message)
        case Opcode.link:
            let place = try place(request.node, 48)
            let node = try known(field(40))
            try tree.link(try mirror.path(node), to: tree, place.path)
            try putNew(place, of: node, &message)
        case Opcode.unlink, Opcode.removeDirectory:
            let place = try place(request.node, 40)
            let isFile = request.opcode == Opcode.unlink
            try isFile ? tree.removeFile(place.path) : tree.removeDirectory(place.path)
            if let name = mirror.find(place.name, in: place.parent) { remove(name) }
        case Opcode.rename: try rename(request, flags: 0, names: 48)
        case Opcode.rename2: try rename(request, flags: field(48), names: 56)
        case Opcode.setAttributes: try setAttributes(request, &message)
        default: throw .noFunction
        }
    }

    private mutating func create(_ request: Request, _ message: inout Message) throws(Errno) {
        let place = try place(request.node, 56)
        var flags = Int32(bitPattern: field(40) as UInt32) & (O_ACCMODE | O_EXCL | O_TRUNC)
        // Whoever opens it later finds it open.
        if options.isCached { flags = flags & ~O_ACCMODE | O_RDWR }
        let file = try tree.open(place.path, flags | O_CREAT, permissions: permissions(44))
        let node = try mirror.add(place.name, in: place.parent)
        let (user, group): (UInt32, UInt32) = (field(24), field(28))
        if user | group != 0 { try file.setOwner(uid: user, gid: group) }
        putEntry(try file.status(), node, &message)
        let opened = OpenFile(file, node, isWritable: flags & O_ACCMODE != O_RDONLY)
        guard options.isCached else { return admit(opened, isGiven: opened.isWritable, &message) }
        files.hold(opened)
        putOpened(0, &message)
    }

    /// Notes a name that was made, of a new node or of `node`, and puts its entry.
    private mutating func putNew(_ place: Place, of node: UInt32? = nil, _ message: inout Message)
        throws(Errno)
    {
        let number = try mirror.add(place.name, in: place.parent, of: node)
        let (user, group): (UInt32, UInt32) = (field(24), field(28))
        if node == nil, user | group != 0 { try tree.setOwner(of: place.path, uid: user, gid: group) }
        putEntry(try status(number), number, &message)
    }

    private mutating func remove(_ name: UInt32) {
        if mirror.remove(name) { files.loseName(mirror.nodes[Int(name)].node) }
    }

    private mutating func rename(_ request: Request, flags: UInt32, names: Int) throws(Errno) {
        let old = try place(request.node, names)
        let new = try place(field(40), names + old.name.count + 1)
        if flags & RenameFlag.whiteout != 0 { throw .invalidArgument }
        try tree.rename(old.path, to: tree, new.path, flags: flags)
        guard let name = mirror.find(old.name, in: old.parent) else { return }
        if let other = mirror.find(new.name, in: new.parent) {
            if flags & RenameFlag.exchange != 0 { return mirror.exchange(name, other) }
            // Of two names of one file none goes (rename(2)).
            if mirror.nodes[Int(other)].node == mirror.nodes[Int(name)].node { return }
            remove(other)
        }
        mirror.move(name, to: new.parent, new.name)
    }

    /// `struct fuse_setattr_in`. A file that is open needs no path.
    private mutating func setAttributes(_ request: Request, _ message: inout Message) throws(Errno) {
        let valid: UInt32 = field(40)
        let node = try known(request.node)
        mirror.nodes[Int(node)].isChanged = true
        if valid & Valid.size != 0 { try setSize(of: node) }
        let open = files.any(node)
        let path = open == nil ? try mirror.path(node) : ""
        if valid & (Valid.user | Valid.group) != 0 {
            let user: UInt32 = valid & Valid.user != 0 ? field(116) : .max
            let group: UInt32 = valid & Valid.group != 0 ? field(120) : .max
            if let open {
                try open.file.setOwner(uid: user, gid: group)
            } else {
                try tree.setOwner(of: path, uid: user, gid: group)
            }
        }
        if valid & Valid.mode != 0 {
            if let open {
                try open.file.setPermissions(permissions(108))
            } else {
                try tree.setPermissions(of: path, permissions(108))
            }
        }
        if valid & (Valid.accessTime | Valid.modificationTime) != 0 {
            let atime = time(valid, Valid.accessTime, Valid.accessNow, 72, 96)
            let mtime = time(valid, Valid.modificationTime, Valid.modificationNow, 80, 100)
            if let open {
                try open.file.setTimes(atime: atime, mtime: mtime)
            } else {
                try tree.setTimes(of: path, atime: atime, mtime: mtime)
            }
        }
        putAttributes(try status(node), &message)
    }

    private mutating func setSize(of node: UInt32) throws(Errno) {
        let size: Int64 = field(56)
        let valid: UInt32 = field(40)
        let handle: UInt64 = valid & Valid.handle != 0 ? field(48) : 0
        if let open = files[handle], open.isWritable { return try open.file.truncate(to: size) }
        if options.isCached {
            try opened(0, node, writes: true).file.truncate(to: size)
        } else {
            try openFile(node, O_WRONLY).file.truncate(to: size)
        }
    }

    private func time(_ valid: UInt32, _ isSet: UInt32, _ isNow: UInt32, _ seconds: Int, _ rest: Int)
        -> TimeChange
    {
        if valid & isSet == 0 { return .keep }
        if valid & isNow != 0 { return .now }
        return .set(Timestamp(seconds: field(seconds), nanoseconds: field(rest)))
    }

    private func permissions(_ offset: Int) -> UInt32 {
        let mode: UInt32 = field(offset)
        return mode & 0o7777
    }

    /// The name at a byte offset of the request, and its path.
    private func place(_ parent: UInt64, _ offset: Int) throws(Errno) -> Place {
        let parent = try known(parent)
        let name = withName(offset) { name in name.indices.map { name[$0] } }
        let directory = try mirror.path(parent)
        let path = parent == 0 ? ByteString(name) : directory.appending(ByteString(name))
        return Place(parent: parent, name: name, path: path)
    }
}

/// A name in a directory, and its path.
private struct Place {
    var parent: UInt32
    var name: [UInt8]
    var path: ByteString
}
