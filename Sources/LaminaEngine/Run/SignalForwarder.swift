// SignalForwarder owns the signals that end a process while it only waits for another one: that one gets them.

import Foundation
import Glibc

/// Blocks the signals from its making on; `start` hands them over.
struct SignalForwarder {
    private let signals: sigset_t

    init() {
        var signals = sigset_t()
        // SAFETY: fills the local set, of which the thread gets a copy.
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { _ = unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        self.signals = signals
    }

    /// Forwards until this process ends. A terminal sends SIGINT to both; a program that gets it twice is none
    /// the worse.
    func start(to process: pid_t) {
        Thread.detachNewThread { [signals] in
            var signals = signals
            var number: Int32 = 0
            // SAFETY: reads and fills locals.
            while unsafe sigwait(&signals, &number) == 0 { kill(process, number) }
        }
    }
}
