// The one place that turns a system call's result into a value or an Errno.

import Glibc
import LaminaCore

/// The error that the last failed call of this thread left.
@inline(__always)
func lastError() -> Errno {
    Errno(rawValue: Glibc.errno)
}

/// Runs `call` again while a signal interrupts it; a negative result becomes an Errno.
@inline(__always)
@discardableResult
func checked<Value: SignedInteger>(_ call: () -> Value) throws(Errno) -> Value {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = lastError()
        if error != .interrupted { throw error }
    }
}
