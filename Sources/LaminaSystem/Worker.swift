// Worker owns one thread and waits for it before it is gone; Semaphore is what threads wait on.

import CLinux
import Glibc
import LaminaCore

/// A thread that runs one closure. Its owner outlives it: dropping the worker waits for
/// the closure to return.
@safe
public struct Worker: ~Copyable, Sendable {
    // SAFETY: a plain handle, joined exactly once, in deinit.
    private let thread: pthread_t

    /// Starts a thread that takes `value` over; `EAGAIN` when the system has none left.
    public init<Value: ~Copyable & Sendable>(
        _ value: consuming Value, _ body: @escaping @Sendable (consuming Value) -> Void
    ) throws(Errno) {
        var thread = pthread_t()
        // SAFETY: the retained body is released by the thread, or here when there is none.
        let body = ValueBody(value, body)
        let retained = unsafe Unmanaged<WorkerBody>.passRetained(body)
        // Signals that end the process are the main thread's, which may be waiting for them.
        var ending = sigset_t()
        var before = sigset_t()
        unsafe sigemptyset(&ending)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] { unsafe sigaddset(&ending, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &ending, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<WorkerBody>.fromOpaque(argument).takeRetainedValue()
                clinux_set_fault_scope(body.faultScope)
                body.run()
                return nil
            }, retained.toOpaque())
        guard result == 0 else {
            unsafe retained.release()
            throw Errno(rawValue: result)
        }
        self.thread = thread
    }

    /// Waits for the closure to return.
    public consuming func join() {
        // The end of the worker's life is what waits.
    }

    deinit {
        // A live thread that nobody else joins.
        pthread_join(thread, nil)
    }
}

/// What a thread runs. A class, since a C callback carries one pointer.
private class WorkerBody {
    /// Faults that are armed for the starting thread meet the new one too.
    let faultScope = clinux_fault_scope()

    func run() {}
}

private final class ValueBody<Value: ~Copyable & Sendable>: WorkerBody {
    private var value: Value?
    private let body: @Sendable (consuming Value) -> Void

    init(_ value: consuming Value, _ body: @escaping @Sendable (consuming Value) -> Void) {
        self.value = consume value
        self.body = body
    }

    override func run() {
        if let value = value.take() { body(value) }
    }
}

/// A counting semaphore (`sem_overview(7)`) between threads.
@safe
public final class Semaphore: @unchecked Sendable {
    // SAFETY: initialised in init, destroyed in deinit, and made for concurrent use between.
    private let semaphore: UnsafeMutablePointer<sem_t>

    /// `count` waits pass before one has to wait.
    public init(count: UInt32) {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, count)
    }

    deinit {
        // SAFETY: nobody waits any more: waiters keep a reference.
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Takes one, waiting for it.
    public func wait() {
        // SAFETY: an initialised semaphore; a signal only interrupts the wait.
        while unsafe sem_wait(semaphore) != 0 && errno == EINTR {}
    }

    /// Takes one, waiting at most so long; false when none came.
    public func wait(milliseconds: Int) -> Bool {
        var time = timespec()
        // SAFETY: the kernel fills the local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + milliseconds % 1000 * 1_000_000
        time.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        while true {
            // SAFETY: an initialised semaphore; a signal only interrupts the wait.
            if unsafe clinux_sem_wait_until(semaphore, &time) == 0 { return true }
            guard errno == EINTR else { return false }
        }
    }

    /// Gives one.
    public func signal() {
        // SAFETY: an initialised semaphore.
        unsafe sem_post(semaphore)
    }
}
