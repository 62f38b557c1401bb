// Opening files, which may be given to the kernel. libfuse 3.14 has no place for the number of a
// backing file in its answers, so these requests are answered raw.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

extension Server {
    /// `FUSE_OPEN`: `struct fuse_open_in`.
    ///
    /// A file that is open by way of an object cannot be opened another way under the same number. It
    /// gets a new one then, and `ESTALE` makes the kernel look its path up again and find that.
    func openFile(_ header: WireHeader, _ body: RawSpan, _ device: Int32) throws(Errno) -> WireReply {
        // From then on the kernel opens files without asking.
        if unasked.files { throw .noFunction }
        let flags = Int32(bitPattern: try body.wire(at: 0) as UInt32)
        let id = NodeID(rawValue: header.node)
        // FUSE_OPEN_KILL_SUIDGID of the structure's second word.
        let more: UInt32 = try body.wire(at: 4)
        if more & 1 != 0, try union.clearPrivileges(of: id) {
            // The answer to OPEN brings no mode.
            WireReply.attributesChanged(of: id).send(to: device)
        }
        // First, so that an open which fails in the end has changed nothing.
        if flags.writes, !id.isRedirected, passthrough.readsLower(id) { throw try renumber(id, device) }
        let file = try union.open(id, flags: flags)
        guard let opened = try admit(file, id, flags, device) else { throw try renumber(id, device) }
        if !flags.writes, opened.backing == 0 { deliver(id, device) }
        var reply = WireReply(to: header.unique)
        reply.appendOpened(handle: opened.handle, flags: opened.flags, backing: opened.backing)
        return reply
    }

    /// `FUSE_CREATE`: `struct fuse_create_in` and the name.
    func createFile(_ header: WireHeader, _ body: RawSpan) throws(Errno) -> WireReply {
        var flags = Int32(bitPattern: try body.wire(at: 0) as UInt32)
        // Whoever opens it later finds it open.
        if unasked.files { flags = O_RDWR }
        let mode: UInt32 = try body.wire(at: 4)
        let umask: UInt32 = try body.wire(at: 8)
        let (entry, file) = try union.createFile(
            try body.wireName(at: 16), in: NodeID(rawValue: header.node),
            try Creation(permissions: mode, uid: header.uid, gid: header.gid, umask: umask, identities),
            flags: flags)
        return try created(entry, file, flags, header)
    }

    /// The answer for a file that was just made.
    func created(
        _ entry: Entry, _ file: OpenFile, _ flags: Int32, _ header: WireHeader
    ) throws(Errno) -> WireReply {
        var entry = entry
        // The kernel does not know the node yet.
        guard let opened = try admit(file, entry.id, flags, nil) else { throw .staleNFSFileHandle }
        if opened.mayBeMapped { entry.status.isFleeting = true }
        var reply = WireReply(to: header.unique)
        reply.append(entry, identities)
        reply.appendOpened(handle: opened.handle, flags: opened.flags, backing: opened.backing)
        return reply
    }

    /// Takes an open file in; nil when the node is open by way of another file.
    /// - Parameter device: where the kernel is told that it must not remember attributes any more.
    private func admit(
        _ file: OpenFile, _ id: NodeID, _ flags: Int32, _ device: Int32?
    ) throws(Errno) -> OpenedFile? {
        if flags.writes { deliveries.waitForEnd(of: id) }
        if unasked.files {
            // Nor does the kernel say that such a file is closed.
            union.keepOpen(file)
            return OpenedFile(handle: 0)
        }
        let keeps = FileHandle.noFlush | (union.keepsPages(of: id) ? FileHandle.keepCache : 0)
        guard passthrough.isOn else { return OpenedFile(handle: try files.insert(file), flags: keeps) }
        let backing = try file.backing(writes: flags.writes)
        var opened = OpenedFile(handle: try files.insert(file), flags: keeps)
        switch passthrough.enter(id, backing, syncs: flags & (O_SYNC | O_DSYNC) != 0) {
        case .server: return opened
        case .conflict:
            files.remove(opened.handle)
            return nil
        case .kernel(let number):
            if let backing { file.use(backing) }
            // Pages of the node's own cache are of no use to who reads another file's.
            opened.flags = FileHandle.passthrough | FileHandle.noFlush
            opened.backing = number
            counters?.count(.passthroughOpen)
        }
        // Only such a file can be mapped for writing, which is the one change that nobody hears of.
        guard flags & O_ACCMODE == O_RDWR else { return opened }
        opened.mayBeMapped = true
        if (try? union.noteMapping(of: id)) == true, let device {
            WireReply.attributesChanged(of: id).send(to: device)
        }
        return opened
    }

    /// Gives a node a new number; the error to answer with.
    private func renumber(_ id: NodeID, _ device: Int32) throws(Errno) -> Errno {
        _ = try isRenumbered(id, device)
        return .staleNFSFileHandle
    }

    /// Gives a node a new number, and has the kernel look its names up before it uses them again; false
    /// when it had one.
    private func isRenumbered(_ id: NodeID, _ device: Int32) throws(Errno) -> Bool {
        guard let names = try union.renumber(id) else { return false }
        // What the kernel knows of the old one grows stale from now on.
        WireReply.attributesChanged(of: id).send(to: device)
        passthrough.notify {
            for name in names { WireReply.nameExpired(name).send(to: device) }
        }
        return true
    }

    /// Before a file's size is changed: one that is open by way of an object gets a new number, so that
    /// no name leads to the readers' any more.
    /// - Throws: `ESTALE` once, upon which the kernel looks the path up again.
    func prepareToResize(_ id: NodeID, _ device: Int32) throws(Errno) {
        guard passthrough.isOn, !id.isRedirected, passthrough.readsLower(id) else { return }
        if try isRenumbered(id, device) { throw .staleNFSFileHandle }
    }

    /// `FUSE_RELEASE`.
    func closeFile(_ handle: UInt64, of id: NodeID) {
        files.remove(handle)
        if passthrough.isOn { passthrough.leave(id) }
    }
}

/// What the kernel is told of an open file, and whether somebody may map it for writing.
struct OpenedFile {
    var handle: UInt64
    var flags = FileHandle.keepCache | FileHandle.noFlush
    var backing: Int32 = 0
    var mayBeMapped = false
}

extension Int32 {
    /// Whether an open with these flags changes bytes, or may.
    fileprivate var writes: Bool { self & O_ACCMODE != O_RDONLY || self & O_TRUNC != 0 }
}
