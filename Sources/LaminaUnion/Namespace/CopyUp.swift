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
        try copyAttributes(of: nid, to: handle, mtime: .set(lower.node(nid).mtime))
        try keepingTimes(of: parent) { (namespace) throws(Errno) in
            try namespace.upper.withNewPlace(of: place.name, in: parent) { (directory, path) throws(Errno) in
                try namespace.upper.work.rename(temporary, to: directory, path)
            }
        }
        upper.copiedUp(.metadata)
        let node = adopt(place.name, in: parent, status: try handle.status(), type: .directory, lower: nid)
        upper.names.know(id)
        upper.parentCopied.withLock { $0?(id) }
        return node
    }

    /// The sandbox's copy of `id`, made when only layers have it.
    /// - Parameter bytes: how many bytes of a regular file are copied, the rest being lost;
    ///   nil copies none, and the copy goes on showing the lower file's.
    mutating func copyUp(_ id: NodeID, bytes: UInt64? = nil) throws(Errno) -> UpperNode {
        if let node = table[id] { return node }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        guard let type = FileType(mode: try lower.node(nid).mode) else { throw .ioError }
        if type == .directory {
            do throws(Errno) {
                return try ensureDirectory(id)
            } catch Errno.noSuchFileOrDirectory {
                return try copyUpRemovedDirectory(nid)
            }
        }
        let places = try visiblePlaces(of: nid)
        let temporary = upper.temporaryName()
        let handle = try copy(nid, type: type, to: temporary, bytes: bytes)
        let status = try handle.status()
        let data = try UpperData.find(of: handle, source: nid, lower: lower, upper: upper)
        do throws(Errno) {
            try publish(temporary, of: nid, at: places)
        } catch {
            try? upper.work.removeFile(temporary)
            throw error
        }
        upper.copiedUp(type == .regular && data?.isWhole ?? true ? .whole : .metadata)
        let node = table.insert(type: type, inode: status.inode, lower: nid)
        node.data = data
        twins.insert(nid)
        for place in places { node.addName(place.name, in: place.directory) }
        // Its last name is gone; whoever has it open may still change it.
        if places.isEmpty { node.anchor = SharedDescriptor(handle) }
        return node
    }

    /// A copy of a directory that is no longer in the tree; whoever has it open may still change it.
    private mutating func copyUpRemovedDirectory(_ nid: UInt64) throws(Errno) -> UpperNode {
        let temporary = upper.temporaryName()
        try upper.work.makeDirectory(temporary, permissions: 0o700)
        let handle = try upper.work.openPath(temporary)
        try copyAttributes(of: nid, to: handle, mtime: .set(lower.node(nid).mtime))
        try upper.work.removeDirectory(temporary)
        upper.copiedUp(.metadata)
        let node = table.insert(type: .directory, inode: try handle.status().inode, lower: nid)
        twins.insert(nid)
        node.anchor = SharedDescriptor(handle)
        table.removeInode(of: node)
        return node
    }

    /// Gives the copy in `work` its names; with none it stays reachable by its descriptor.
    private mutating func publish(
        _ temporary: ByteString, of nid: UInt64, at places: [Place]
    ) throws(Errno) {
        guard let first = places.first else { return try upper.work.removeFile(temporary) }
        guard places.count > 1 else {
            let upper = self.upper
            return try place(at: first) { (directory, path) throws(Errno) in
                try upper.work.rename(temporary, to: directory, path)
            }
        }
        try publishLinks(temporary, of: nid, at: places)
    }

    /// Runs a change that puts a copy at `place`.
    mutating func place(
        at place: Place, _ change: (borrowing Descriptor, ByteString) throws(Errno) -> Void
    ) throws(Errno) {
        try keepingTimes(of: place.directory) { (namespace) throws(Errno) in
            try namespace.upper.withNewPlace(of: place.name, in: place.directory, change)
        }
    }

    /// The names of a lower node that the container sees, each in a directory of the sandbox.
    mutating func visiblePlaces(of nid: UInt64) throws(Errno) -> [Place] {
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

    /// Makes the copy in `work`, with all attributes; its marks say that its bytes are not durable.
    private func copy(
        _ nid: UInt64, type: FileType, to temporary: ByteString, bytes: UInt64?
    ) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try makeCopy(nid, type: type, to: temporary, bytes: bytes)
        } catch {
            // A full disk must not get fuller with each attempt.
            try? upper.work.removeFile(temporary)
            throw error
        }
    }

    private func makeCopy(
        _ nid: UInt64, type: FileType, to temporary: ByteString, bytes: UInt64?
    ) throws(Errno) -> Descriptor {
        let node = try lower.node(nid)
        switch type {
        case .regular:
            let file = try upper.work.open(temporary, O_RDWR | O_CREAT | O_EXCL, permissions: 0o600)
            if let bytes {
                let content = try lower.openContent(nid)
                let count = min(bytes, content.length)
                try content.copy(to: file, count: count)
                if count > 0, !upper.isVolatile {
                    try upper.setFresh(file)
                    try upper.setRefused(file)
                }
            } else if node.size > 0 {
                guard let size = Int64(exactly: node.size) else { throw .fileTooLarge }
                try file.truncate(to: size)
                let empty: [UInt8] = []
                try file.setExtendedAttribute(upper.convention.metacopy, empty.raw)
            }
        case .symlink:
            try upper.work.makeSymlink(temporary, target: try lower.symlinkTarget(nid))
        default:
            try upper.work.makeNode(temporary, mode: node.mode, device: node.device)
        }
        let handle = try upper.work.openPath(temporary)
        try upper.setOrigin(nid, of: handle)
        // Cut while it is copied: the copy is the change, and tells its time.
        let isCut = type == .regular && bytes.map { $0 < node.size } ?? false
        try copyAttributes(of: nid, to: handle, mtime: isCut ? .now : .set(node.mtime))
        return handle
    }

    /// Times last: everything else changes them.
    private func copyAttributes(
        of nid: UInt64, to handle: borrowing Descriptor, mtime: TimeChange
    ) throws(Errno) {
        let node = try lower.node(nid)
        try upper.setIdentity(
            of: handle, uid: node.uid, gid: node.gid, mode: node.mode,
            attributes: try lower.extendedAttributes(nid))
        try handle.setPathTimes(atime: .set(node.mtime), mtime: mtime)
    }

    /// Runs a change of `directory`'s entries that the container must not notice.
    private mutating func keepingTimes(
        of directory: UpperNode, _ change: (inout Namespace) throws(Errno) -> Void
    ) throws(Errno) {
        let handle = try upper.open(directory)
        let before = try handle.status()
        try change(&self)
        // The change is made: an error here would say that it is not.
        try? handle.setPathTimes(atime: .set(before.atime), mtime: .set(before.mtime))
    }
}

/// A name in a directory of the sandbox that a change is about.
struct Place {
    var name: ByteString
    var directory: UpperNode
}
