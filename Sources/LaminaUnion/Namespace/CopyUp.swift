// Copying a lower node into the sandbox. A copy is made in `work` and appears under its
// name in one rename, complete; the directory that receives it keeps its times.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

extension Namespace {
    /// The sandbox's directory for `id`, made (with its parents) when only layers have it.
    /// - Throws: `ENOENT` when the directory is no longer in the tree.
    mutating func ensureDirectory(_ id: NodeID) throws(Errno) -> UpperNode {
        if let node = table[id] {
            guard !node.isRemoved else { throw .noSuchFileOrDirectory }
            return node
        }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        guard let place = try lower.names(of: nid, hardLinks: hardLinks).first else { throw .ioError }
        let parent = try ensureDirectory(NodeID(rawValue: place.parent))
        if let status = try upper.status(of: place.name, in: parent) {
            guard status.type == .directory else { throw .noSuchFileOrDirectory }
            let node = try attach(place.name, in: parent, status: status)
            guard node.id == id else { throw .noSuchFileOrDirectory }
            return node
        }
        let temporary = upper.temporaryName()
        try upper.work.makeDirectory(temporary, permissions: 0o700)
        let handle = try upper.work.openPath(temporary)
        try copyAttributes(of: nid, to: handle)
        try keepingTimes(of: parent) { (namespace) throws(Errno) in
            try namespace.upper.withPlace(of: place.name, in: parent) { (directory, path) throws(Errno) in
                try namespace.upper.work.rename(temporary, to: directory, path)
            }
        }
        return adopt(place.name, in: parent, status: try handle.status(), type: .directory, lower: nid)
    }

    /// The sandbox's copy of `id`, made when only layers have it.
    /// - Parameter limit: how many bytes of a regular file are wanted; the rest is not copied.
    mutating func copyUp(_ id: NodeID, limit: UInt64 = .max) throws(Errno) -> UpperNode {
        if let node = table[id] { return node }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        guard let type = FileType(mode: try lower.node(nid).mode) else { throw .ioError }
        if type == .directory { return try ensureDirectory(id) }
        let places = try visiblePlaces(of: nid)
        let temporary = upper.temporaryName()
        let handle = try copy(nid, type: type, to: temporary, limit: limit)
        try upper.setOrigin(nid, of: handle)
        let status = try handle.status()
        let node = table.insert(type: type, inode: status.inode, lower: nid)
        twins.insert(nid)
        guard !places.isEmpty else {
            // Its last name is gone; whoever has it open may still change it.
            node.anchor = SharedDescriptor(handle)
            try upper.work.removeFile(temporary)
            return node
        }
        for (index, place) in places.enumerated() {
            try publish(temporary, at: place, last: index == places.count - 1)
            node.addName(place.name, in: place.directory)
        }
        return node
    }

    /// Gives the copy in `work` its name; every name but the last is a hard link.
    private mutating func publish(
        _ temporary: ByteString, at place: Place, last: Bool
    ) throws(Errno) {
        try keepingTimes(of: place.directory) { (namespace) throws(Errno) in
            let upper = namespace.upper
            try upper.withPlace(of: place.name, in: place.directory) { (directory, path) throws(Errno) in
                if last {
                    try upper.work.rename(temporary, to: directory, path)
                } else {
                    try upper.work.link(temporary, to: directory, path)
                }
            }
        }
    }

    /// The names of a lower node that the container sees, each in a directory of the sandbox.
    private mutating func visiblePlaces(of nid: UInt64) throws(Errno) -> [Place] {
        var places: [Place] = []
        for name in try lower.names(of: nid, hardLinks: hardLinks) {
            let directory: UpperNode
            do throws(Errno) {
                directory = try ensureDirectory(NodeID(rawValue: name.parent))
            } catch Errno.noSuchFileOrDirectory {
                continue
            }
            if try upper.status(of: name.name, in: directory) == nil {
                places.append(Place(name: name.name, directory: directory))
            }
        }
        return places
    }

    /// Makes the copy in `work`, with all attributes; its bytes are durable before it gets a name.
    private func copy(
        _ nid: UInt64, type: FileType, to temporary: ByteString, limit: UInt64
    ) throws(Errno) -> Descriptor {
        switch type {
        case .regular:
            let file = try upper.work.open(temporary, O_RDWR | O_CREAT | O_EXCL, permissions: 0o600)
            let content = try lower.openContent(nid)
            let count = min(limit, content.length)
            try content.copy(to: file, count: count)
            if count > 0, !upper.isVolatile { try file.syncData() }
        case .symlink:
            try upper.work.makeSymlink(temporary, target: try lower.symlinkTarget(nid))
        default:
            let node = try lower.node(nid)
            try upper.work.makeNode(temporary, mode: node.mode, device: node.device)
        }
        let handle = try upper.work.openPath(temporary)
        try copyAttributes(of: nid, to: handle)
        return handle
    }

    /// Times last: everything else changes them.
    private func copyAttributes(of nid: UInt64, to handle: borrowing Descriptor) throws(Errno) {
        let node = try lower.node(nid)
        try upper.setIdentity(
            of: handle, uid: node.uid, gid: node.gid, mode: node.mode,
            attributes: try lower.extendedAttributes(nid))
        try handle.setPathTimes(atime: .set(node.mtime), mtime: .set(node.mtime))
    }

    /// Runs a change of `directory`'s entries that the container must not notice.
    private mutating func keepingTimes(
        of directory: UpperNode, _ change: (inout Namespace) throws(Errno) -> Void
    ) throws(Errno) {
        let handle = try upper.open(directory)
        let before = try handle.status()
        try change(&self)
        try handle.setPathTimes(atime: .set(before.atime), mtime: .set(before.mtime))
    }
}

/// A name in a directory of the sandbox that a change is about.
struct Place {
    var name: ByteString
    var directory: UpperNode
}

extension LowerContent {
    /// Copies the first `count` bytes to the start of `destination`: sharing blocks where the
    /// filesystem can, else inside the kernel, else through a buffer.
    func copy(to destination: borrowing Descriptor, count: UInt64) throws(Errno) {
        guard count > 0 else { return }
        if offset == 0, count == length, (try? destination.clone(from: file.descriptor)) != nil {
            if try destination.status().size == Int64(clamping: length) { return }
            try destination.truncate(to: 0)
        }
        guard let start = Int64(exactly: offset), let total = Int64(exactly: count) else {
            throw .fileTooLarge
        }
        var done: Int64 = 0
        while done < total {
            let piece = Int(min(total - done, 1 << 30))
            let copied: Int
            do throws(Errno) {
                copied = try destination.copyRange(
                    from: file.descriptor, sourceOffset: start + done, to: done, count: piece)
            } catch Errno.improperLink {
                return try copyThroughBuffer(to: destination, from: done, count: total)
            } catch Errno.invalidArgument {
                return try copyThroughBuffer(to: destination, from: done, count: total)
            } catch Errno.notSupported {
                return try copyThroughBuffer(to: destination, from: done, count: total)
            }
            guard copied > 0 else { throw .ioError }
            done += Int64(copied)
        }
    }

    private func copyThroughBuffer(
        to destination: borrowing Descriptor, from first: Int64, count: Int64
    ) throws(Errno) {
        var done = first
        while done < count {
            let piece = Int(min(count - done, 1 << 20))
            let bytes = try file.descriptor.readBytes(at: Int64(clamping: offset) + done, count: piece)
            guard !bytes.isEmpty else { throw .ioError }
            try destination.writeAll(bytes.raw, at: done)
            done += Int64(bytes.count)
        }
    }
}
