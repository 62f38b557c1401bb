// LoopThread owns one thread of a loop and how it is told that the loop ends.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class LoopThread: Sendable {
    let place = Crew.Place()
    private let worker = Mutex<Worker?>(nil)
    /// The thread's own handle; 0 until it runs.
    private let handle = Atomic<UInt>(0)

    /// Starts the thread; `EAGAIN` when the system has none left.
    func start<Value: ~Copyable & Sendable>(
        _ value: consuming Value, _ body: @escaping @Sendable (consuming Value) -> Void
    ) throws(Errno) {
        let started = Mutex<Worker?>(
            try Worker(value) { [self] value in
                handle.store(UInt(pthread_self()), ordering: .releasing)
                body(value)
            })
        worker.withLock { worker in worker = started.withLock { $0.take() } }
    }

    /// Ends the thread's wait in a system call.
    func interrupt() {
        let handle = handle.load(ordering: .acquiring)
        // Not joined yet, so that the handle is good even when the thread has ended.
        if handle != 0 { _ = pthread_kill(pthread_t(handle), LoopSignals.interrupting) }
    }

    /// Waits for the end of the thread. Not called by itself.
    func join() {
        worker.withLock { $0 = nil }
    }
}
