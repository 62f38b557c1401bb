// MountStatistics is what the library says of a mount's work: what its server counted, and its memory.

import LaminaCore

/// The counters of one mounted sandbox at the moment of the call.
public struct MountStatistics: Sendable {
    public var sandbox: Sandbox
    public var counters: CounterSnapshot
    /// Bytes of the server's memory that are resident (`VmRSS`); nil when that cannot be seen.
    public var residentBytes: UInt64?
    /// `CLOCK_MONOTONIC` at the moment of the call, in nanoseconds.
    public var now: UInt64

    /// Nanoseconds that the oldest request without an answer has been worked on; nil when there is none.
    public var oldestWork: UInt64? {
        counters.work.map { now > $0.since ? now - $0.since : 0 }.max()
    }
}

extension CounterSnapshot.Operation {
    /// Nanoseconds that an answer took on average; nil when there was none.
    public var mean: UInt64? {
        answered == 0 ? nil : nanoseconds / answered
    }

    /// Microseconds below which at least `percent` of the answers took, a power of two; nil when there was
    /// no answer, or when those longer than all bounds are needed. O(buckets).
    public func bound(percent: UInt64) -> UInt64? {
        let all = answered
        guard all > 0 else { return nil }
        // Rounded up, without an overflow.
        let needed = all / 100 * percent + (all % 100 * percent + 99) / 100
        var sum: UInt64 = 0
        for (index, count) in buckets.dropLast().enumerated() {
            sum &+= count
            if sum >= needed { return 1 << UInt64(index) }
        }
        return nil
    }
}
