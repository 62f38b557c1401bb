// SignalForwarder owns the signals that end a process while it only waits for another one: that one gets them.

import Glibc
import LaminaSystem
import Synchronization

/// Blocks the signals of the calling thread, and of those that it starts, until `end`.
final class SignalForwarder: Sendable {
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]
    private let process = Mutex<pid_t?>(nil)
    private let isEnded = Atomic<Bool>(false)
    private let worker = Mutex<Worker?>(nil)
    private let before: sigset_t

    init() {
        var signals = Self.signals
        var before = sigset_t()
        // SAFETY: reads and fills locals, of which the thread gets a copy.
        unsafe pthread_sigmask(SIG_BLOCK, &signals, &before)
        self.before = before
    }

    private static var signals: sigset_t {
        var signals = sigset_t()
        // SAFETY: fills the local set.
        unsafe sigemptyset(&signals)
        for number in numbers { _ = unsafe sigaddset(&signals, number) }
        return signals
    }

    /// Hands signals over, those too that came since the making. A terminal sends SIGINT to both; a program that
    /// gets it twice is none the worse.
    func start(to target: pid_t) {
        process.withLock { $0 = target }
        worker.withLock { $0 = try? Worker(self) { $0.forward() } }
    }

    private func forward() {
        var signals = Self.signals
        var pause = timespec(tv_sec: 0, tv_nsec: 50_000_000)
        while !isEnded.load(ordering: .relaxed) {
            // SAFETY: reads locals.
            let number = unsafe sigtimedwait(&signals, nil, &pause)
            guard number > 0 else { continue }
            process.withLock { if let target = $0 { kill(target, number) } }
        }
    }

    /// Forgets the process, whose number may be another's once it was waited for.
    func forget() { process.withLock { $0 = nil } }

    /// Gives the signals back.
    func end() {
        isEnded.store(true, ordering: .relaxed)
        worker.withLock { $0 = nil }
        var before = before
        // SAFETY: reads the local.
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
