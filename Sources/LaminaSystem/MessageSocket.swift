// Sockets that carry whole messages between two processes of one machine (`unix(7)`, SOCK_SEQPACKET).

import CLinux
import Glibc
import LaminaCore

extension Descriptor {
    /// A socket called `name` in this directory that only this user may connect to. What has the name goes.
    public borrowing func listen(at name: ByteString) throws(Errno) -> Descriptor {
        do throws(Errno) { try removeFile(name) } catch .noSuchFileOrDirectory {}
        // A path of any length fits into an address this way.
        let path = processPath.appending(name)
        // SAFETY: the path is NUL-terminated and alive during the call.
        let raw = try unsafe path.withCString { (path) throws(Errno) in
            try checked { unsafe clinux_listen(path) }
        }
        return Descriptor(owning: raw)
    }

    /// A connection to the socket `name` in this directory; `ECONNREFUSED` when nobody listens.
    public borrowing func connect(to name: ByteString) throws(Errno) -> Descriptor {
        let path = processPath.appending(name)
        // SAFETY: the path is NUL-terminated and alive during the call.
        let raw = try unsafe path.withCString { (path) throws(Errno) in
            try checked { unsafe clinux_connect(path) }
        }
        return Descriptor(owning: raw)
    }

    /// The next connection to this listening socket.
    public borrowing func accept() throws(Errno) -> Descriptor {
        let raw = rawValue
        return Descriptor(owning: try checked { clinux_accept(raw) })
    }

    /// The user at the other end of this connection.
    public borrowing func peer() throws(Errno) -> UInt32 {
        var uid: UInt32 = .max
        let raw = rawValue
        // SAFETY: the call fills the local.
        try checked { unsafe clinux_peer(raw, &uid) }
        return uid
    }

    /// Sends one message.
    public borrowing func send(_ message: [UInt8]) throws(Errno) {
        let raw = rawValue
        // SAFETY: the array is alive during the call.
        _ = try checked { unsafe clinux_send(raw, message, message.count) }
    }

    /// The next message; empty at the end, nil when `milliseconds` went by first.
    /// - Throws: `EMSGSIZE` for one of more than `limit` bytes.
    public borrowing func receive(limit: Int, milliseconds: Int32) throws(Errno) -> [UInt8]? {
        guard try waitReadable(milliseconds: milliseconds) else { return nil }
        var message = [UInt8](repeating: 0, count: limit)
        let raw = rawValue
        // SAFETY: the call writes within the array.
        let count = try checked { unsafe clinux_receive(raw, &message, limit) }
        message.removeLast(message.count - count)
        return message
    }
}
