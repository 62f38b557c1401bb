// SandboxTree owns the reading of one sandbox: `upper` over the layers. It changes nothing.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

/// A sandbox as its files on disk say it.
final class SandboxTree: Sendable {
    let lower: SandboxLower
    let marks: OverlayConvention
    private let upper: Descriptor
    private let work: Descriptor
    private let maps: ByteString

    init(_ sandbox: Sandbox, of engine: Engine) throws(LaminaError) {
        let directory = sandbox.directory
        upper = try Engine.system(directory) { () throws(Errno) in
            try Descriptor.open(directory.appending("upper"), OpenFlag.path | O_DIRECTORY | O_NOFOLLOW)
        }
        let work = try Engine.system(directory) { () throws(Errno) in
            try Descriptor.open(directory.appending("work"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        }
        marks = try Engine.system(directory) { () throws(Errno) in try OverlayConvention(probing: work) }
        self.work = work
        maps = directory.appending("maps")
        lower = try SandboxLower(sandbox.chainID, of: engine)
    }

    /// Opens a path of `upper`, empty for its root; never leaves it, and follows no symlink.
    func open(_ path: ByteString, _ flags: Int32) throws(Errno) -> Descriptor {
        try upper.open(
            path.isEmpty ? "." : path, flags | O_NOFOLLOW, resolve: Resolve.beneath | Resolve.noSymlinks)
    }

    /// A handle of a path of `upper`, of a symlink itself.
    func openPath(_ path: ByteString) throws(Errno) -> Descriptor {
        try open(path, OpenFlag.path)
    }

    /// A copy of an open file that shares its blocks, all of one instant; nil where the filesystem has no such
    /// thing (`FICLONE`).
    func clone(of file: borrowing Descriptor) -> Descriptor? {
        let copy = try? work.open(".", OpenFlag.temporary | O_RDWR, permissions: 0o600)
        guard let copy, (try? copy.clone(from: file)) != nil else { return nil }
        return copy
    }

    /// Some file of the filesystem that has `upper`, as `FileHandle` wants it.
    func duplicateOfWork() throws(Errno) -> Descriptor { try work.duplicate() }

    func openMap(_ name: ByteString) throws(Errno) -> Descriptor {
        try Descriptor.open(maps.appending(name), O_RDONLY | O_NOFOLLOW)
    }

    /// The status of an open node as the container sees it. A plain user's own files that do not say whose
    /// they are belong to the image's root.
    func status(of node: borrowing Descriptor) throws(Errno) -> FileStatus {
        var status = try node.status()
        guard !marks.isPrivileged else { return status }
        if geteuid() != 0 {
            status.uid = 0
            status.gid = 0
        }
        guard status.type == .regular || status.type == .directory,
            let record = try node.mark(OverrideStat.attribute).flatMap({ OverrideStat($0) })
        else { return status }
        status.uid = record.uid
        status.gid = record.gid
        status.mode = status.mode & FileType.mask | record.permissions
        return status
    }

    /// The xattrs of an open node that a container sees, by name.
    func extendedAttributes(of node: borrowing Descriptor) throws(Errno) -> [ExtendedAttribute] {
        var result: [ExtendedAttribute] = []
        let names: [ByteString]
        do throws(Errno) {
            names = try node.extendedAttributeNames()
        } catch Errno.notSupported {
            return []
        }
        for name in names.sorted() where !marks.hides(name) && name != "security.selinux" {
            if let value = try node.mark(name) { result.append(ExtendedAttribute(name: name, value: value)) }
        }
        return result
    }

    /// The lower directory that a directory of `upper` is merged with; nil for none. `parent` is the one
    /// of the directory above.
    func merged(
        with directory: borrowing Descriptor, _ name: ByteString, parent: UInt64?, path: ByteString
    ) throws(LaminaError) -> UInt64? {
        let thing = ByteString("/") + path
        let found = try Engine.system(thing) { () throws(Errno) in
            (opaque: try directory.mark(marks.opaque), redirect: try directory.mark(marks.redirect))
        }
        if found.opaque == [UInt8(ascii: "y")] { return nil }
        guard let redirect = found.redirect.map({ ByteString($0) }) else {
            return try lower.directory(name, in: parent)
        }
        guard redirect.hasPrefix("/") else { return try lower.directory(redirect, in: parent) }
        guard let nid = try lower.node(atPath: redirect) else { return nil }
        return try lower.node(nid).type == .directory ? nid : nil
    }

    /// The lower file whose bytes a file of `upper` shows, by its own note or by overlayfs's rules; nil for
    /// none.
    func source(
        of file: borrowing Descriptor, _ path: ByteString, merged: UInt64?
    ) throws(LaminaError) -> UInt64? {
        let found = try Engine.system(ByteString("/") + path) { () throws(Errno) in
            (origin: try file.mark(marks.origin), redirect: try file.mark(marks.redirect))
        }
        if let origin = found.origin {
            guard let nid = UInt64(String(decoding: origin, as: UTF8.self)) else { return nil }
            return try? lower.node(nid).type == .regular ? nid : nil
        }
        let place = found.redirect.map { ByteString($0) } ?? path.components.last ?? ByteString()
        let nid =
            place.hasPrefix("/")
            ? try lower.node(atPath: place)
            : try merged.flatMap { directory throws(LaminaError) in
                try lower.lookup(place, in: directory)
            }
        guard let nid, try lower.node(nid).type == .regular else { return nil }
        return nid
    }
}
