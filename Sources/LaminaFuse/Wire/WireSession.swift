// WireSession owns what this server says to the kernel beside libfuse 3.14: which
// capabilities are added to the first answer.
//
// Invariant: only capabilities that the kernel offered are taken.

import LaminaCore
import Synchronization

/// State of the connection that libfuse does not keep. Reached from all worker threads.
final class WireSession: Sendable {
    /// Bits of `fuse_init_out.flags`.
    static let handleKillPrivileges: UInt32 = 1 << 28
    static let extendedSetxattr: UInt32 = 1 << 29

    /// `FUSE_INIT_EXT`: there is a second word of flags.
    static let extendedInit: UInt32 = 1 << 30
    /// `FUSE_PASSTHROUGH`, of the second word.
    static let passthrough: UInt32 = 1 << 5

    /// The number of the INIT request while it is unanswered; 0 otherwise.
    private let pendingInit = Atomic<UInt64>(0)
    private let offered = Atomic<UInt32>(0)
    private let taken = Atomic<UInt32>(0)
    private let offeredSecond = Atomic<UInt32>(0)

    /// Whether a capability is in force.
    func has(_ flag: UInt32) -> Bool {
        taken.load(ordering: .relaxed) & flag != 0
    }

    /// Notes what the kernel offers in `struct fuse_init_in`.
    func noteInit(_ unique: UInt64, body: RawSpan) throws(Errno) {
        let flags: UInt32 = try body.wire(at: 12)
        offered.store(flags, ordering: .relaxed)
        if flags & Self.extendedInit != 0 { offeredSecond.store(try body.wire(at: 16), ordering: .relaxed) }
        pendingInit.store(unique, ordering: .releasing)
    }

    /// Whether the answer with this header is that to INIT; true once.
    @inline(__always)
    func isInitReply(unique: UInt64) -> Bool {
        let pending = pendingInit.load(ordering: .acquiring)
        guard pending != 0, pending == unique else { return false }
        pendingInit.store(0, ordering: .relaxed)
        return true
    }

    /// Whether the kernel offers to read and write files by itself.
    var offersPassthrough: Bool { offeredSecond.load(ordering: .relaxed) & Self.passthrough != 0 }

    /// `fuse_init_out.flags` with what is wanted beyond libfuse.
    func extend(_ flags: UInt32) -> UInt32 {
        let wanted = Self.handleKillPrivileges | Self.extendedSetxattr
        let added = wanted & offered.load(ordering: .relaxed)
        taken.store(added, ordering: .relaxed)
        return flags | added
    }
}
