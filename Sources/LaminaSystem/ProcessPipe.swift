// A pipe between two processes, and waiting for bytes in it for a bounded time.

import CLinux
import Glibc
import LaminaCore

/// The two ends of a pipe (`pipe2(2)`), both closed on exec.
public struct ProcessPipe: ~Copyable {
    public let readEnd: Descriptor
    public let writeEnd: Descriptor

    public init() throws(Errno) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the kernel fills the array of two.
        try checked { unsafe clinux_pipe2(&ends, O_CLOEXEC) }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
    }

    /// Gives the read end to the caller and closes the other.
    public consuming func takeReadEnd() -> Descriptor {
        readEnd
    }
}

extension Descriptor {
    /// Waits until bytes or the end can be read; false when `milliseconds` went by first.
    public borrowing func waitReadable(milliseconds: Int32) throws(Errno) -> Bool {
        var request = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        // SAFETY: one local request.
        return try checked { unsafe poll(&request, 1, milliseconds) } > 0
    }
}
