// After a power cut or a kill: sandboxes whose server died, and what it and others left.

import LaminaCore
import LaminaStore

/// What was put in order.
public struct RecoveryReport: Sendable {
    /// Names of sandboxes that were still recorded as mounted, with where; their mounts are cleared away.
    public var unmounted: [(name: String, mountpoint: String)] = []
    /// Sandboxes that could not be cleared away, and why.
    public var failed: [(name: String, reason: String)] = []
    /// Directories of unfinished work that are gone.
    public var leftovers = 0

    public init() {}
}

extension Engine {
    /// Clears mounts away whose server has died, with `remount` mounts them again, and removes what killed
    /// processes left. What is in the sandboxes stays.
    public func recover(remount: Bool = false) throws(LaminaError) -> RecoveryReport {
        var report = RecoveryReport()
        for sandbox in try sandboxes() where sandbox.state == .stale {
            let place = sandbox.mountpoint
            do throws(LaminaError) {
                try unmount(sandbox.id)
                if remount, let place {
                    var settings = MountSettings()
                    settings.readOnly = sandbox.readOnly
                    try mount(sandbox.id, at: place, settings)
                }
                report.unmounted.append((sandbox.name, place?.description ?? ""))
            } catch {
                report.failed.append((sandbox.name, error.message))
            }
        }
        try removeLeftovers { _ in report.leftovers += 1 }
        return report
    }
}
