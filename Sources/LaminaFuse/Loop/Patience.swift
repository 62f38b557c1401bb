// Patience owns whether the leader looks for the next request for a moment before it sleeps. Waking a
// thread on an idle core takes longer than most answers; a program that asks one thing after another
// is then served without any such wake on our side.
//
// Invariant: what looking costs in vain is a small part of what it saves: it stops after a few failures
// in a row, and starts again when requests come as fast as looking would have found them.

import Glibc

/// One thread's expectation that the next request comes at once.
struct Patience {
    /// Nanoseconds of looking. About what two wakes of an idle virtual core take.
    static let longest: UInt64 = 40_000
    private static let most = 16
    /// A failure weighs as much as this many successes.
    private static let weight = 4

    private var trust = 8

    /// Whether looking is worth it.
    @inline(__always)
    var looks: Bool { trust > 0 }

    /// A look ended, with a request or in vain.
    @inline(__always)
    mutating func note(found: Bool) {
        trust = found ? min(trust + 1, Self.most) : max(trust - Self.weight, 0)
    }

    /// The thread slept for so long until a request came.
    @inline(__always)
    mutating func noteSleep(_ nanoseconds: UInt64) {
        if nanoseconds < Self.longest { trust = min(trust + 1, Self.most) }
    }

    /// By the clock that nobody sets, in nanoseconds.
    @inline(__always)
    static func now() -> UInt64 {
        var time = timespec()
        // SAFETY: fills the local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000
            &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }

    /// Looks whether a request waits at the device, until one does or the time is over. Lets every other
    /// thread of this core run that wants to.
    static func look(at device: Int32) -> Bool {
        let start = now()
        repeat {
            if Watch.isReadable(device) { return true }
            sched_yield()
        } while now() &- start < longest
        return false
    }
}
