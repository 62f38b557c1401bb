// Copying a lower node into the sandbox. A copy is made in `work` and appears under its
// name in one rename, complete; the directory that receives it keeps its times.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

extension Namespace {
    /// The sandbox's copy of `id`, made when only layers have it.
    mutating func copyUp(_ id: NodeID, bytes: CopiedBytes = .none) throws(Errno) -> UpperNode {
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
        let copy = try makeCopy(of: nid, type: type, at: temporary, bytes)
        let status = try copy.handle.status()
        do throws(Errno) {
            try publish(temporary, of: nid, at: places)
        } catch {
            try? upper.work.removeFile(temporary)
            // Where it could not be taken back, the next mount finishes it, and needs its map.
            if (try? copy.handle.status().linkCount) == 0 { copy.data?.discard() }
            throw error
        }
        upper.copiedUp(copy.kind)
        let node = table.insert(type: type, inode: status.inode, lower: nid)
        node.data = copy.data
        node.isPlain = type == .regular && (try? lower.extendedAttributes(nid).isEmpty) == true
        twins.insert(nid)
        for place in places { node.addName(place.name, in: place.directory) }
        // Its last name is gone; whoever has it open may still change it.
        if places.isEmpty { node.anchor = SharedDescriptor(try copy.handle.reopen(OpenFlag.path)) }
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

    /// Runs a change of `directory`'s entries that the container must not notice.
    mutating func keepingTimes(
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
