// Two connected sockets between processes, over which one hands the other a descriptor.

import CLinux
import Glibc
import LaminaCore

/// The two ends of a stream between processes (`unix(7)`), both closed on exec.
public struct SocketPair: ~Copyable {
    public let near: Descriptor
    public let far: Descriptor

    public init() throws(Errno) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the kernel fills the array of two.
        try checked { unsafe clinux_socketpair(&ends) }
        near = Descriptor(owning: ends[0])
        far = Descriptor(owning: ends[1])
    }

    /// Gives one end to the caller and closes the other.
    public consuming func takeNear() -> Descriptor {
        near
    }
}

extension Descriptor {
    /// Waits for a message on this socket and takes over the descriptor that it carries;
    /// `ENODATA` when it carries none or the other end was closed.
    public borrowing func receiveDescriptor() throws(Errno) -> Descriptor {
        let raw = rawValue
        return Descriptor(owning: try checked { clinux_receive_descriptor(raw) })
    }
}
