// HostTree owns the reading of a directory that becomes a tar. It never leaves the directory.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// A directory tree of the host, or of a mount.
final class HostTree: LayerFiles {
    private struct FileID: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    private let root: Descriptor
    private let name: ByteString
    /// Whether others change it meanwhile: then what is gone when it is looked at is left out.
    private let isLive: Bool

    init(_ path: ByteString) throws(LaminaError) {
        name = path
        isLive = false
        root = try Engine.system(path) { () throws(Errno) in
            try Descriptor.open(path, OpenFlag.path | O_DIRECTORY)
        }
    }

    /// A directory that is open; `name` is for messages.
    init(_ directory: consuming Descriptor, named name: ByteString, isLive: Bool) {
        self.name = name
        self.isLive = isLive
        root = directory
    }

    private func openPath(_ path: ByteString, _ flags: Int32) throws(Errno) -> Descriptor {
        try root.open(
            path.isEmpty ? "." : path, flags | O_NOFOLLOW, resolve: Resolve.beneath | Resolve.noSymlinks)
    }

    func open(_ item: LayerItem) throws(LaminaError) -> LayerFile? {
        guard case .host(let path) = item.content else { return nil }
        let file = try found(path) { () throws(Errno) in
            try LayerFile(openPath(path, O_RDONLY | O_NONBLOCK))
        }
        guard let file else { throw LaminaError(name.appending(path), .staleNFSFileHandle) }
        return file
    }

    /// What a call says of a path; nil when the path is gone and may be.
    private func found<Value: ~Copyable>(
        _ path: ByteString, _ call: () throws(Errno) -> Value
    ) throws(LaminaError) -> Value? {
        do throws(Errno) {
            return try call()
        } catch {
            let isGone =
                error == .noSuchFileOrDirectory || error == .staleNFSFileHandle || error == .notDirectory
            if isLive && isGone { return nil }
            throw LaminaError(name.appending(path), error)
        }
    }

    /// Every node by path, parents first, the root too. O(nodes).
    ///
    /// - Parameter isLayer: whether names that a layer cannot hold are refused.
    func items(isLayer: Bool = true) throws(LaminaError) -> [LayerItem] {
        var paths: [ByteString] = [ByteString()]
        var pending: [ByteString] = [ByteString()]
        while let directory = pending.popLast() {
            let entries = try found(directory) { () throws(Errno) in
                try openPath(directory, O_RDONLY | O_DIRECTORY).entries()
            }
            for entry in entries ?? [] {
                let path = directory.appending(entry.name)
                guard path.count <= Limits.pathLength, paths.count < Limits.entriesPerLayer else {
                    throw LaminaError(
                        .badInput, "\(name)", "has too many files, or too long a path, for a layer")
                }
                paths.append(path)
                let type = try found(path) { () throws(Errno) -> FileType? in
                    if let type = entry.type { return type }
                    return try openPath(path, OpenFlag.path).status().type
                }
                if type == .some(.directory) { pending.append(path) }
            }
        }
        var first: [FileID: ByteString] = [:]
        var items: [LayerItem] = []
        for path in paths.sorted() {
            if isLayer { try LayerItem.checkName(path) }
            if let item = try item(path, &first) { items.append(item) }
        }
        return items
    }

    /// Nil for a socket, and for a 0:0 device, which would hide a name.
    private func item(
        _ path: ByteString, _ first: inout [FileID: ByteString]
    ) throws(LaminaError) -> LayerItem? {
        let seen = try found(path) { () throws(Errno) in
            let handle = try openPath(path, OpenFlag.path)
            let status = try handle.status()
            return (
                status, status.type == .symlink ? try handle.readLink("") : ByteString(),
                try Self.extendedAttributes(of: handle)
            )
        }
        guard let (status, target, extended) = seen else { return nil }
        guard let type = status.type, type != .socket, !status.isWhiteout else { return nil }
        let attributes = FileAttributes(
            type: type, permissions: status.mode & 0o7777, uid: status.uid, gid: status.gid,
            mtime: status.mtime, device: status.namedDevice)
        if type != .directory && status.linkCount > 1 {
            let id = FileID(device: status.device, inode: status.inode)
            if let known = first[id] { return .link(to: known, at: path, attributes) }
            first[id] = path
        }
        let entry = TarEntry(
            path: path, kind: TarEntryKind(type, symlinkTarget: target), attributes: attributes,
            extendedAttributes: extended)
        return LayerItem(entry: entry, content: type == .regular ? .host(path) : .none)
    }

    /// Without what belongs to overlayfs, to Lamina's own sandboxes and to the host's policy.
    private static func extendedAttributes(
        of handle: borrowing Descriptor
    ) throws(Errno) -> [ExtendedAttribute] {
        let hidden: [ByteString] = ["trusted.overlay.", "trusted.lamina.", "security.selinux"]
        let names: [ByteString]
        do throws(Errno) {
            names = try handle.extendedAttributeNames()
        } catch Errno.notSupported {
            return []
        }
        var result: [ExtendedAttribute] = []
        for name in names.sorted() where !hidden.contains(where: { name.hasPrefix($0) }) {
            if let value = try handle.mark(name) {
                result.append(ExtendedAttribute(name: name, value: value))
            }
        }
        return result
    }
}
