// CopySource owns what a copy reads: a file or a directory as the items of a tar, under the name that they get.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// The items of a copy, and how their files are opened.
struct CopySource {
    var items: [LayerItem]
    var files: any LayerFiles

    /// Reads what is at `place`. A directory's own entry gets the path `name`, what is in it stands below;
    /// an empty name leaves it the root.
    init(_ place: CopyPlace, as name: ByteString, followLink: Bool) throws(LaminaError) {
        let thing = place.path
        let follow = followLink || place.endsInSlash
        let status = try Engine.system(thing) { () throws(Errno) in try place.status(follow: follow) }
        guard let status else { throw LaminaError(thing, .noSuchFileOrDirectory) }
        if place.endsInSlash && status.type != .directory { throw LaminaError(thing, .notDirectory) }
        guard status.type == .directory else {
            let handle = try Engine.system(thing) { () throws(Errno) in
                try place.open(nil, OpenFlag.path | (follow ? 0 : O_NOFOLLOW))
            }
            items = [try Self.item(handle, name, thing)]
            files = SingleFile(SharedDescriptor(handle), thing)
            return
        }
        let directory = try Engine.system(thing) { () throws(Errno) in
            try place.open(nil, O_RDONLY | O_DIRECTORY)
        }
        let tree = HostTree(directory, named: thing, isLive: place.root != nil)
        items = try tree.items(isLayer: false)
        for index in items.indices {
            let path = items[index].entry.path
            items[index].entry.path = path.isEmpty ? name : name.appending(path)
            if case .hardLink(let target) = items[index].entry.kind {
                items[index].entry.kind = .hardLink(target: name.appending(target))
            }
        }
        files = tree
    }

    private static func item(
        _ handle: borrowing Descriptor, _ name: ByteString, _ thing: ByteString
    ) throws(LaminaError) -> LayerItem {
        let (status, target) = try Engine.system(thing) { () throws(Errno) in
            let status = try handle.status()
            return (status, status.type == .symlink ? try handle.readLink("") : ByteString())
        }
        guard let type = status.type, type != .socket else {
            throw LaminaError(.failure, "\(thing)", "is a socket, which cannot be copied")
        }
        let entry = TarEntry(
            path: name, kind: TarEntryKind(type, symlinkTarget: target),
            attributes: FileAttributes(
                type: type, permissions: status.mode & 0o7777, uid: status.uid, gid: status.gid,
                mtime: status.mtime, device: status.namedDevice))
        return LayerItem(entry: entry, content: type == .regular ? .host(name) : .none)
    }
}

/// One open file.
private final class SingleFile: LayerFiles {
    private let handle: SharedDescriptor
    private let thing: ByteString

    init(_ handle: SharedDescriptor, _ thing: ByteString) {
        self.handle = handle
        self.thing = thing
    }

    func open(_ item: LayerItem) throws(LaminaError) -> LayerFile? {
        guard case .host = item.content else { return nil }
        return try Engine.system(thing) { () throws(Errno) in
            try LayerFile(handle.descriptor.reopen(O_RDONLY | O_NONBLOCK))
        }
    }
}
