// FaultGate keeps tests that arm faults apart: there is one switch for all test targets, which
// share one process. Other tests need no gate, because a fault meets the thread that armed it.

import LaminaSystem

/// Who arms `FaultInjection` passes alone.
public enum FaultGate {
    private static let turn = Semaphore(count: 1)

    public static func exclusive<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        turn.wait()
        defer { turn.signal() }
        return try body()
    }
}
