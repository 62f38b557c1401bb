// Patience owns for how long the leader looks for the next request before it sleeps. Waking a thread on an idle core
// takes longer than most answers; a program that asks one thing after another is then served without any such wake on
// our side.
//
// Invariant: looking ends by itself. It grows while requests come as fast as looking could have found them, and halves
// with each wait that was longer, as Linux does for virtual processors (Documentation/virt/kvm/halt-polling.rst), and
// whenever somebody else wanted the core meanwhile.

import Glibc

/// One thread's expectation that the next request comes soon.
struct Patience {
    /// Nanoseconds. A program that computes between its requests, an interpreter that imports, takes up to this.
    static let longest: UInt64 = 200_000
    static let shortest: UInt64 = 10_000
    /// One look takes about one microsecond, longer when somebody else has work for the core.
    static let crowded: UInt64 = 5_000

    enum Look {
        case found
        case inVain
        /// Others want the core.
        case crowded
    }

    /// Nanoseconds of looking; 0 is none.
    private(set) var window: UInt64 = 40_000

    /// Whether looking is worth it.
    @inline(__always)
    var looks: Bool { window > 0 }

    /// A request came after so many nanoseconds, and looking had not found it.
    @inline(__always)
    mutating func noteWait(_ nanoseconds: UInt64, after look: Look) {
        if look != .crowded, nanoseconds < Self.longest {
            window = min(max(window * 2, Self.shortest), Self.longest)
        } else {
            window = window / 2 < Self.shortest ? 0 : window / 2
        }
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

    /// Asks again and again whether a request is there, until one is or the time since `start` is over. Lets every
    /// other thread of this core run that wants to, and leaves it to them then.
    @inline(__always)
    func look(since start: UInt64, _ isThere: () -> Bool) -> Look {
        guard looks else { return .inVain }
        var last = start
        repeat {
            sched_yield()
            if isThere() { return .found }
            let time = Self.now()
            if time &- last > Self.crowded { return .crowded }
            last = time
        } while last &- start < window
        return .inVain
    }
}
