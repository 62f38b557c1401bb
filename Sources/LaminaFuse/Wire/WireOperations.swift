// The requests that are answered, or prepared, without libfuse.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

extension WireHeader {
    /// Whether `Server.answer` wants to see this request.
    @inline(__always)
    var isOurs: Bool {
        switch opcode {
        case Opcode.lookup, Opcode.getattr, Opcode.getxattr, Opcode.tmpfile, Opcode.statx, Opcode.setxattr,
            Opcode.setattr, Opcode.open, Opcode.initialize, Opcode.create:
            true
        default: false
        }
    }
}

extension Server {
    /// Answers a request; false when libfuse has to.
    /// - Parameter body: what follows the header.
    func answer(_ header: WireHeader, _ body: RawSpan, _ device: Int32) -> Bool {
        do throws(Errno) {
            switch header.opcode {
            case Opcode.lookup: send(try lookUp(header, body), to: device)
            case Opcode.getattr: send(try attributes(header), to: device)
            case Opcode.getxattr: send(try extendedAttribute(header, body), to: device)
            case Opcode.tmpfile: send(try makeTemporary(header, body), to: device)
            case Opcode.open: send(try openFile(header, body, device), to: device)
            case Opcode.create: send(try createFile(header, body), to: device)
            case Opcode.statx: send(try status(header), to: device)
            case Opcode.setxattr where wire.has(WireSession.extendedSetxattr):
                send(try setExtendedAttribute(header, body), to: device)
            default:
                try prepare(header, body, device)
                return false
            }
        } catch {
            send(WireReply.failure(error, to: header.unique), to: device, error: -error.rawValue)
        }
        return true
    }

    /// Sends an answer, which is counted.
    private func send(_ reply: consuming WireReply, to device: Int32, error: Int32 = 0) {
        let size = reply.size
        reply.send(to: device)
        answered(size: size, error: error)
    }

    /// `FUSE_LOOKUP`: a name.
    private func lookUp(_ header: WireHeader, _ body: RawSpan) throws(Errno) -> WireReply {
        let parent = NodeID(rawValue: header.node)
        let name = try body.wireNameSpan(at: 0)
        var reply = WireReply(to: header.unique)
        do throws(Errno) {
            // Where case is ignored, a name may come and go under another spelling.
            let isFleeting = union.ignoresCase && !parent.isRedirected
            reply.append(try union.lookup(name, in: parent), identities, seconds: isFleeting ? 0 : nil)
        } catch .noSuchFileOrDirectory {
            guard let absence = union.absence(of: name, in: parent), absence != .fleeting else {
                throw .noSuchFileOrDirectory
            }
            reply.append(nil, identities, seconds: UInt64(Reply.timeout(of: absence)))
        }
        return reply
    }

    /// `FUSE_GETATTR`.
    private func attributes(_ header: WireHeader) throws(Errno) -> WireReply {
        var reply = WireReply(to: header.unique)
        reply.appendAttributes(try union.status(of: NodeID(rawValue: header.node)), identities)
        return reply
    }

    /// `FUSE_GETXATTR`: `struct fuse_getxattr_in` and a name. Of size 0 it asks how long the value is.
    private func extendedAttribute(_ header: WireHeader, _ body: RawSpan) throws(Errno) -> WireReply {
        let size: UInt32 = try body.wire(at: 0)
        let value = try union.extendedAttribute(
            of: NodeID(rawValue: header.node), try body.wireName(at: 8))
        var reply = WireReply(to: header.unique)
        if size == 0 {
            reply.append(UInt64(value.count))
        } else {
            guard value.count <= Int(size) else { throw .outOfRange }
            reply.append(value)
        }
        return reply
    }

    /// `FUSE_TMPFILE`: `struct fuse_create_in` and a name of no meaning.
    private func makeTemporary(_ header: WireHeader, _ body: RawSpan) throws(Errno) -> WireReply {
        var flags = Int32(bitPattern: try body.wire(at: 0) as UInt32)
        // Whoever reads or writes it later finds it open.
        if unasked.files { flags = O_RDWR }
        let mode: UInt32 = try body.wire(at: 4)
        let umask: UInt32 = try body.wire(at: 8)
        let (entry, file) = try union.createTemporary(
            in: NodeID(rawValue: header.node),
            try Creation(permissions: mode, uid: header.uid, gid: header.gid, umask: umask, identities),
            flags: flags)
        return try created(entry, file, flags, header)
    }

    /// `FUSE_STATX`: all that stat shows, and the birth time.
    private func status(_ header: WireHeader) throws(Errno) -> WireReply {
        let (status, birth) = try union.statusAndBirth(of: NodeID(rawValue: header.node))
        var reply = WireReply(to: header.unique)
        reply.appendStatx(status, birth: birth, identities)
        return reply
    }

    /// `FUSE_SETXATTR` in its extended form: `struct fuse_setxattr_in`, name and value.
    private func setExtendedAttribute(_ header: WireHeader, _ body: RawSpan) throws(Errno) -> WireReply {
        let size: UInt32 = try body.wire(at: 0)
        let flags: UInt32 = try body.wire(at: 4)
        let extra: UInt32 = try body.wire(at: 8)
        let name = try body.wireName(at: 16)
        let value = try body.wireBytes(at: 16 + name.count + 1, count: Int(size))
        try union.setExtendedAttribute(
            of: NodeID(rawValue: header.node), name, value, flags: Int32(bitPattern: flags),
            clearingSetgid: extra & 1 != 0)
        return WireReply(to: header.unique)
    }

    /// What has to happen before libfuse sees a request that it would take for a simpler one.
    private func prepare(_ header: WireHeader, _ body: RawSpan, _ device: Int32) throws(Errno) {
        switch header.opcode {
        case Opcode.initialize: try wire.noteInit(header.unique, body: body)
        case Opcode.setattr:
            let valid: UInt32 = try body.wire(at: 0)
            // FATTR_SIZE
            if valid & 1 << 3 != 0 { try prepareToResize(NodeID(rawValue: header.node), device) }
            guard wire.has(WireSession.handleKillPrivileges) else { break }
            // FATTR_KILL_SUIDGID comes with truncation and chown. Before a write the kernel asks
            // to change nothing at all; beside this bit, FATTR_FH and FATTR_LOCKOWNER. It does so
            // too when it took security.capability away for a caller whose writes keep the bits.
            let isBeforeWrite = valid & ~(1 << 6 | 1 << 9) == 0
            let isMeant = valid & 1 << 11 != 0 || isBeforeWrite && !header.caller.keepsSetuidBits
            if isMeant {
                _ = try union.clearPrivileges(of: NodeID(rawValue: header.node))
            }
        default: break
        }
    }
}

/// What the kernel is told of an open file.
enum FileHandle {
    /// `FOPEN_KEEP_CACHE`.
    static let keepCache: UInt32 = 1 << 1
    /// `FOPEN_NOFLUSH`: a close need not ask first.
    static let noFlush: UInt32 = 1 << 5
    /// `FOPEN_PASSTHROUGH`.
    static let passthrough: UInt32 = 1 << 7
}
