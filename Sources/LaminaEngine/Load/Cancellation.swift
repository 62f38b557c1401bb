// Cancellation owns the wish to stop a running load, given from any thread.

import LaminaCodec
import LaminaCore
import Synchronization

/// Stops work that was given this value. It cannot be taken back.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// Asks the work to stop: it throws `interrupted` at its next look, which comes within a MiB
    /// of input and never in the middle of a system call.
    public func cancel() {
        flag.store(true, ordering: .relaxed)
    }

    public var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Throws `interrupted`, about `thing`, when the work is to stop.
    func check(_ thing: String) throws(LaminaError) {
        if isCancelled { throw LaminaError(CodecError.cancelled, about: thing) }
    }
}
