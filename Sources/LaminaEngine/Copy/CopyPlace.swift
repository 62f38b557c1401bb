// CopyPlace owns how a path of a copy is reached: on the host as any program does, in a sandbox below its root,
// where symlinks mean what they mean to a container and lead nowhere else.

import Glibc
import LaminaCore
import LaminaSystem

/// A path on one side of a copy.
struct CopyPlace: Sendable {
    /// The sandbox's root; nil for the host.
    var root: SharedDescriptor?
    /// As it was given; of a sandbox from its root.
    var path: ByteString

    /// Opens the path, or another on this side.
    func open(_ other: ByteString? = nil, _ flags: Int32) throws(Errno) -> Descriptor {
        let path = other ?? self.path
        guard let root else { return try Descriptor.open(path.isEmpty ? "." : path, flags) }
        return try root.descriptor.open(
            path.isEmpty ? "/" : path, flags, resolve: Resolve.inRoot | Resolve.noMagicLinks)
    }

    /// The status of what the path leads to; nil when there is nothing.
    func status(follow: Bool) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try open(nil, OpenFlag.path | (follow ? 0 : O_NOFOLLOW)).status()
        } catch Errno.noSuchFileOrDirectory {
            return nil
        }
    }

    /// Whether the path says that it is a directory.
    var endsInSlash: Bool { path.bytes.last == UInt8(ascii: "/") || isContents }

    /// Whether what is in the directory is meant, and not the directory: `/.` at the end, or `.` alone.
    var isContents: Bool {
        path == "." || path.bytes.suffix(2).elementsEqual([UInt8(ascii: "/"), UInt8(ascii: ".")])
            || (root != nil && path.components.isEmpty)
    }

    /// The last name, and the path before it; nil for a path that has none.
    var split: (parent: ByteString, name: ByteString)? {
        let parts = path.components.filter { $0 != "." }
        guard let name = parts.last, name != ".." else { return nil }
        let start: ByteString = path.hasPrefix("/") || root != nil ? "/" : "."
        return (parts.dropLast().reduce(start) { $0.appending($1) }, name)
    }

    /// The place that a symlink here leads to in the end, whether or not something is there.
    /// - Throws: `ELOOP` for too many links.
    func followingLinks() throws(Errno) -> CopyPlace {
        var place = self
        for _ in 0..<40 {
            guard let status = try place.status(follow: false), status.type == .symlink,
                let parent = place.split?.parent
            else { return place }
            let target = try place.open(nil, OpenFlag.path | O_NOFOLLOW).readLink("")
            place.path = target.hasPrefix("/") ? target : parent.appending(target)
        }
        throw .tooManySymbolicLinkLevels
    }

    var description: String { path.description }
}
