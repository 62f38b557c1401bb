// FaultGate keeps faults, whose switch is process-wide, from tests that are not about them:
// all test targets share one process.

import Glibc

/// Who arms `FaultInjection` passes alone; who writes at length beside that, together with others.
public enum FaultGate {
    private static let lock = Lock()

    public static func shared<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.takeShared()
        defer { lock.giveBack() }
        return try body()
    }

    public static func exclusive<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.takeAlone()
        defer { lock.giveBack() }
        return try body()
    }

    @safe
    private final class Lock: @unchecked Sendable {
        // SAFETY: initialised in init, never freed: there is one.
        private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

        init() { unsafe pthread_rwlock_init(lock, nil) }

        // SAFETY: the lock of init.
        func takeShared() { unsafe pthread_rwlock_rdlock(lock) }
        func takeAlone() { unsafe pthread_rwlock_wrlock(lock) }
        func giveBack() { unsafe pthread_rwlock_unlock(lock) }
    }
}
