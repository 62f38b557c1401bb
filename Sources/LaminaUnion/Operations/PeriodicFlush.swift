// Making block maps durable while the mount lives: what a container wrote and never synced
// is not lost in a power cut when it is old, just as the kernel writes old pages back.

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
}

/// Flushes a union every so often, on a thread of its own, until it is let go.
public final class PeriodicFlush: Sendable {
    private let stop = Semaphore(count: 0)
    private let worker: Mutex<Worker?>

    /// As the kernel's `vm.dirty_expire_centisecs`.
    public static let interval = 30_000

    /// - Parameter milliseconds: how old what a power cut takes may be.
    public init(_ union: Union, every milliseconds: Int = interval) throws(Errno) {
        let stop = stop
        let worker = try Worker(union) { union in
            while !stop.wait(milliseconds: milliseconds) {
                do throws(Errno) {
                    try union.flush()
                } catch {
                    UnionLog.report("cannot make block maps durable: \(error)")
                }
            }
        }
        self.worker = Mutex(worker)
    }

    deinit {
        stop.signal()
        // Dropping the worker waits for its end.
        worker.withLock { $0 = nil }
    }
}
