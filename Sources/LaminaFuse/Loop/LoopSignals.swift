// LoopSignals owns which signals reach which thread while a loop runs: those that end the mount
// the main thread, and only while it waits, so that none is missed between a look and a wait.

import CLinux
import Glibc
import LaminaCore

@safe
struct LoopSignals: ~Copyable {
    /// Ends a thread's wait for a request.
    static let interrupting = SIGUSR1

    // SAFETY: plain values, restored in deinit.
    private var before = sigset_t()
    private var action = sigaction()

    /// Blocks the signals that end a mount, for this thread and those that it starts.
    init() throws(Errno) {
        var ending = sigset_t()
        // SAFETY: locals and own values, for the calls.
        unsafe sigemptyset(&ending)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] { unsafe sigaddset(&ending, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &ending, &before)
        var nothing = sigaction()
        unsafe nothing.__sigaction_handler.sa_handler = { _ in }
        // Without SA_RESTART: a read that it meets ends.
        guard unsafe sigaction(Self.interrupting, &nothing, &action) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    deinit {
        var (before, action) = (before, action)
        // SAFETY: locals, for the calls.
        unsafe sigaction(Self.interrupting, &action, nil)
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    /// Polls one descriptor with the signals let in.
    @unsafe
    borrowing func poll(_ request: inout pollfd, timeout: UnsafePointer<timespec>?) -> Int32 {
        var before = before
        // SAFETY: locals, for the call.
        return unsafe clinux_ppoll(&request, 1, timeout, &before)
    }
}
