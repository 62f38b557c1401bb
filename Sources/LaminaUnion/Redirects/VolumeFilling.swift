// Filling new volumes with what the image has at their targets: names, owners, permissions, xattrs, times, hard
// links and bytes, as the container would see them without the volume.

import Glibc
import LaminaCore
import LaminaSystem

extension Union {
    /// Fills those volumes among `list` that were never filled, unless they are to stay empty. What other
    /// redirects hide is taken and not what they show. O(nodes + bytes at the targets).
    ///
    /// - Parameter progress: called now and then.
    public func fill(_ list: [PlacedRedirect], progress: @escaping () -> Void) throws(RedirectFailure) {
        for placed in list where placed.redirect.kind == .volume {
            progress()
            do throws(Errno) {
                try fill(placed, progress)
            } catch {
                throw RedirectFailure(placed.redirect, "cannot fill \(placed.place) from the image: \(error)")
            }
        }
    }

    private func fill(_ placed: PlacedRedirect, _ progress: @escaping () -> Void) throws(Errno) {
        // Other mounts that have it may not remember that it is empty.
        let claim = redirects.claims.claim(placed.place)
        defer { withExtendedLifetime(claim) {} }
        let room = try VolumeRoom.open(placed.place)
        guard !placed.redirect.noCopy, placed.redirect.subpath == nil, try room.isNew() else { return }
        let source: Entry
        do throws(Errno) {
            var path = TargetPath(self, covered: true)
            source = try path.walk(placed.redirect.target, making: nil)
        } catch  where error == .noSuchFileOrDirectory || error == .notDirectory {
            return try room.setMark()
        }
        guard source.status.type == .directory else { return }
        try room.fill { (target) throws(Errno) in
            var filling = VolumeFilling(self, progress)
            try filling.copy(source, to: target)
        }
    }
}

/// One walk over a directory of a union.
private struct VolumeFilling {
    private let union: Union
    private let progress: () -> Void
    /// Files with several names that were met, and the copy of each.
    private var linked: [NodeID: SharedDescriptor] = [:]
    private static let mostLinked = 4_096
    private static let piece = 1 << 20

    init(_ union: Union, _ progress: @escaping () -> Void) {
        self.union = union
        self.progress = progress
    }

    /// Copies what is in a directory into an empty one, and then its attributes.
    mutating func copy(_ source: Entry, to target: borrowing Descriptor, depth: Int = 0) throws(Errno) {
        guard depth < Limits.depth else { throw .tooManySymbolicLinkLevels }
        var names: [ByteString] = []
        try union.forEachEntry(of: source.id, from: 0) { name, _, _, _ in
            let name = ByteString(name)
            if name != ".", name != ".." { names.append(name) }
            return true
        }
        for name in names {
            progress()
            let found = try union.lookUpCovered(name, in: source.id)
            guard let found else { continue }
            defer { union.forget(found.id, count: 1) }
            try copy(found, to: target, name, depth: depth)
        }
        try copyAttributes(of: source, to: target)
    }

    private mutating func copy(
        _ source: Entry, to directory: borrowing Descriptor, _ name: ByteString, depth: Int
    ) throws(Errno) {
        guard let type = source.status.type else { throw .ioError }
        switch type {
        case .directory:
            try directory.makeDirectory(name, permissions: 0o700)
            return try copy(source, to: directory.openDirectory(name), depth: depth + 1)
        case .regular:
            if let copy = linked[source.id] { return try copy.descriptor.linkOpenFile(to: directory, name) }
            let file = try directory.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, permissions: 0o600)
            try copyBytes(of: source, to: file)
            try copyAttributes(of: source, to: file)
            // Beyond so many, each name of the others becomes a file.
            if source.status.linkCount > 1, linked.count < Self.mostLinked {
                linked[source.id] = SharedDescriptor(try directory.openPath(name))
            }
        case .symlink:
            try directory.makeSymlink(name, target: try union.symlinkTarget(of: source.id))
            try copyAttributes(of: source, to: directory.openPath(name))
        default:
            do throws(Errno) {
                try directory.makeNode(name, mode: type.rawValue | 0o600, device: source.status.namedDevice)
            } catch .notPermitted where geteuid() != 0 || UserNamespace.isNested {
                // A device, which only root of the machine makes.
                return
            }
            try copyAttributes(of: source, to: directory.openPath(name))
        }
    }

    private func copyBytes(of source: Entry, to file: borrowing Descriptor) throws(Errno) {
        let input = try union.open(source.id, flags: O_RDONLY)
        var buffer = [UInt8](repeating: 0, count: Int(min(max(source.status.size, 1), Int64(Self.piece))))
        var offset: UInt64 = 0
        while true {
            var space = buffer.mutableSpan
            // SAFETY: the local array.
            let count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                try unsafe input.read(into: bytes, at: offset)
            }
            if count == 0 { return }
            try file.writeAll(buffer.raw.extracting(0..<count))
            offset += UInt64(count)
            progress()
        }
    }

    /// Owner first, which clears bits; times last, which everything else changes.
    private func copyAttributes(of source: Entry, to copy: borrowing Descriptor) throws(Errno) {
        let status = source.status
        let now = try copy.status()
        let owner = union.redirects.onDisk(uid: status.uid, gid: status.gid)
        if owner != (now.uid, now.gid) {
            do throws(Errno) {
                try copy.setPathOwner(uid: owner.uid, gid: owner.gid)
            } catch  where geteuid() != 0 || UserNamespace.isNested {
                // A plain user's files stay his own.
            }
        }
        if status.type != .symlink { try copy.setPathPermissions(status.mode & 0o7777) }
        for name in try union.extendedAttributeNames(of: source.id) {
            let value = try union.extendedAttribute(of: source.id, name)
            do throws(Errno) {
                try copy.setExtendedAttribute(name, value.raw)
            } catch  where error == .notSupported || error == .notPermitted && !name.hasPrefix("user.") {
                // What this filesystem does not have, or this user may not set.
            }
        }
        try copy.setPathTimes(atime: .set(status.atime), mtime: .set(status.mtime))
    }
}
