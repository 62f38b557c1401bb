// Tally owns what was done and what failed, and how the work is spread over threads.

import Glibc
import LaminaSystem
import Synchronization

/// What one thread, or all together, did.
struct Tally: Sendable {
    var operations = 0
    var bytes = 0
    var errors = 0
    /// The `errno` of the first failure.
    var firstError: Int32 = 0

    /// Counts one operation; a negative result is a failure.
    @inline(__always)
    mutating func count(_ result: Int32) {
        operations += 1
        if result < 0 { fail() }
    }

    mutating func fail() {
        if errors == 0 { firstError = errno }
        errors += 1
    }

    static func + (left: Tally, right: Tally) -> Tally {
        Tally(
            operations: left.operations + right.operations, bytes: left.bytes + right.bytes,
            errors: left.errors + right.errors,
            firstError: left.firstError != 0 ? left.firstError : right.firstError)
    }

    func line(_ operation: String, begin: Int, end: Int) -> String {
        """
        {"operation": "\(operation)", "operations": \(operations), "bytes": \(bytes), "errors": \(errors), \
        "errno": \(firstError), "begin": \(begin), "end": \(end)}
        """
    }
}

/// Does a share of the work.
typealias Operation = @Sendable (Part) -> Tally

/// Runs the operation on as many threads as ordered; one thread is this one.
func runOnThreads(_ order: Order, _ operation: @escaping Operation) throws(ClientError) -> Tally {
    guard order.threads > 1 else { return operation(order.part) }
    let total = SharedTally()
    do {
        var workers: [WorkerBox] = []
        for thread in 0..<order.threads {
            let part = Part(
                index: order.part.index * order.threads + thread, count: order.part.count * order.threads)
            workers.append(try WorkerBox { total.add(operation(part)) })
        }
    } catch {
        throw ClientError("cannot start a thread: \(error)")
    }
    return total.value
}

/// A thread that is waited for when its box goes: arrays hold no noncopyable values.
private final class WorkerBox {
    private let worker: Worker

    init(_ body: @escaping @Sendable () -> Void) throws {
        worker = try Worker(()) { _ in body() }
    }
}

private final class SharedTally: Sendable {
    private let total = Mutex(Tally())

    var value: Tally { total.withLock { $0 } }

    func add(_ tally: Tally) {
        total.withLock { $0 = $0 + tally }
    }
}

/// Nanoseconds of the clock that all processes share.
func now() -> Int {
    var time = timespec()
    // SAFETY: the kernel fills the local.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The message of the last error.
func errorText() -> String {
    // SAFETY: a static text of the C library.
    unsafe String(cString: strerror(errno))
}
