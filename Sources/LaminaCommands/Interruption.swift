// Interruption owns SIGINT, SIGTERM and SIGHUP while a verb works that can be stopped: the
// signal becomes a cancellation, and the process ends soon, whatever it waits for.

import ArgumentParser
import Foundation
import Glibc
import LaminaEngine
import LaminaSystem
import Synchronization

/// Turns a signal into a cancellation of running work.
final class Interruption: Sendable {
    let cancellation = Cancellation()
    private let signal = Atomic<Int32>(0)

    /// 128 and the number of the signal that came.
    var exitCode: Int32 { 128 + signal.load(ordering: .sequentiallyConsistent) }

    /// Runs work that a signal stops; then the process's exit code says so.
    static func during<Value>(
        _ body: (Cancellation) throws(LaminaError) -> Value
    ) throws -> Value {
        let interruption = Interruption()
        interruption.start()
        do throws(LaminaError) {
            return try body(interruption.cancellation)
        } catch {
            guard error.code == .interrupted else { throw error }
            Terminal.error("interrupted")
            throw ExitCode(interruption.exitCode)
        }
    }

    /// Takes the signals over, but for those that the caller of this process had ignored. Called
    /// before other threads start, which inherit that the signals are blocked.
    func start() {
        var signals = sigset_t()
        // SAFETY: the calls fill the local set; the thread gets a copy of it.
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] where !Self.isIgnored(number) {
            _ = unsafe sigaddset(&signals, number)
        }
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        Thread.detachNewThread { [self, signals] in wait(for: signals) }
    }

    /// Work that stands in one long system call does not see the cancellation: after a while, or at
    /// the next signal, the process ends as if killed, which the store always survives.
    private func wait(for signals: sigset_t) {
        var signals = signals
        var number: Int32 = 0
        // SAFETY: reads and fills locals.
        guard unsafe sigwait(&signals, &number) == 0 else { return }
        signal.store(number, ordering: .sequentiallyConsistent)
        cancellation.cancel()
        var patience = timespec(tv_sec: 0, tv_nsec: 600_000_000)
        // SAFETY: reads locals.
        _ = unsafe sigtimedwait(&signals, nil, &patience)
        Terminal.error("interrupted")
        _exit(exitCode)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        // SAFETY: only asks; the kernel fills the local.
        unsafe sigaction(number, nil, &action)
        let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return unsafe handler == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
