import LaminaSystem

/// Arms the process-wide fault switch for one test.
enum FaultInjectionGuard {
    static func arm(_ text: String) { _ = FaultInjection.arm(text: text) }
    static func disarm() { FaultInjection.disarm() }
}
