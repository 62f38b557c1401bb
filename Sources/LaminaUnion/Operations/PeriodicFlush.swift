// Making copies and block maps durable while the mount lives: what a container wrote and never
// synced is not lost in a power cut when it is old, just as the kernel writes old pages back.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

extension Union {
    /// Makes durable what was written into block-mapped files so far. O(files written since the
    /// last time).
    public func flush() throws(Errno) {
        guard !isReadOnly, !upper.isVolatile else { return }
        try upper.maps.makeDurable()
    }

    /// Makes the copies durable that no power cut may take back from now on. O(files copied since
    /// the last time).
    public func settle() throws(Errno) {
        guard !isReadOnly, !upper.isVolatile else { return }
        try settleAll()
    }
}

/// Flushes a union every so often, on a thread of its own, until it is let go.
public final class PeriodicFlush: Sendable {
    private let stop = Semaphore(count: 0)
    private let worker: Mutex<Worker?>

    /// As the kernel's `vm.dirty_expire_centisecs`.
    public static let interval = 30_000
    /// As ext4's `commit`. A lost copy is more than a lost write: the file's own bytes go with it.
    public static let settlingInterval = 5_000

    /// - Parameters:
    ///   - milliseconds: how old what a power cut takes from a block map may be.
    ///   - settling: how old a copy may be that it takes back.
    public init(
        _ union: Union, every milliseconds: Int = interval, settlingEvery settling: Int = settlingInterval
    ) throws(Errno) {
        let stop = stop
        let step = max(1, min(milliseconds, settling))
        let worker = try Worker(union) { union in
            var sinceFlush = 0
            while !stop.wait(milliseconds: step) {
                Self.report { () throws(Errno) in try union.settle() }
                sinceFlush += step
                guard sinceFlush >= milliseconds else { continue }
                sinceFlush = 0
                Self.report { () throws(Errno) in try union.flush() }
            }
        }
        self.worker = Mutex(worker)
    }

    private static func report(_ body: () throws(Errno) -> Void) {
        do throws(Errno) {
            try body()
        } catch {
            UnionLog.report("cannot make durable what was written: \(error)")
        }
    }

    deinit {
        stop.signal()
        // Dropping the worker waits for its end.
        worker.withLock { $0 = nil }
    }
}
