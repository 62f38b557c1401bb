// Walk owns the measured loop: one lookup for each component, from the root down, as the kernel asks with cold caches.

import Glibc
import LaminaSystem
import LaminaUnion
import Synchronization

/// Resolves paths over and over.
final class Walk: Sendable {
    private let union: Union
    private let paths: Paths
    private let total = Mutex(Rate())

    init(union: Union, paths: Paths) {
        self.union = union
        self.paths = paths
    }

    /// Runs on `threads` threads at once, each over all paths but from another start.
    func run(threads: Int, seconds: Double) throws(LookupError) -> Rate {
        guard threads > 1 else { return run(from: 0, seconds: seconds) }
        do {
            var workers: [WorkerBox] = []
            for thread in 0..<threads {
                let start = paths.count / threads * thread
                workers.append(
                    try WorkerBox { [self] in
                        let rate = run(from: start, seconds: seconds)
                        total.withLock { $0.add(rate) }
                    })
            }
        } catch {
            throw LookupError("cannot start a thread: \(error)")
        }
        return total.withLock { $0 }
    }

    /// Runs until the time is over, and at least over all paths once.
    func run(from start: Int, seconds: Double) -> Rate {
        var rate = Rate()
        let begin = now()
        var index = start
        repeat {
            for _ in 0..<paths.count {
                resolve(index, paths, &rate)
                index += 1
                if index == paths.count { index = 0 }
            }
        } while now() - begin < seconds
        rate.seconds = now() - begin
        return rate
    }

    @inline(__always)
    private func resolve(_ index: Int, _ paths: Paths, _ rate: inout Rate) {
        let bytes = paths.bytes.span
        var node = NodeID.root
        let last = paths.starts[index + 1] - 1
        for position in paths.starts[index]...last {
            let found: Entry?
            do {
                found = try union.lookup(bytes.extracting(paths.components[position]), in: node)
            } catch {
                rate.errors += 1
                return
            }
            rate.lookups += 1
            guard (found != nil) == (position < last || paths.lastExists) else {
                rate.errors += 1
                return
            }
            if let found { node = found.id }
        }
        rate.paths += 1
    }

    private func now() -> Double {
        var time = timespec()
        // SAFETY: the kernel fills the local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// What was resolved in which time.
struct Rate: Sendable, CustomStringConvertible {
    var paths = 0
    var lookups = 0
    var errors = 0
    var seconds = 0.0

    /// Another thread's work of the same time.
    mutating func add(_ other: Rate) {
        paths += other.paths
        lookups += other.lookups
        errors += other.errors
        seconds = max(seconds, other.seconds)
    }

    var description: String {
        """
        {"paths": \(paths), "lookups": \(lookups), "errors": \(errors), "seconds": \(seconds)}
        """
    }
}

/// A thread that is waited for when its box goes: arrays hold no noncopyable values.
private final class WorkerBox {
    private let worker: Worker

    init(_ body: @escaping @Sendable () -> Void) throws {
        worker = try Worker(()) { _ in body() }
    }
}
