// Keeping the sandbox as it is while somebody else reads it.

import LaminaCore

extension Union {
    /// Runs `body` while no name, no attribute and no copied-up file of the sandbox changes; returns what it returns.
    /// What it waits for must not wait for this union. Bytes of files that are in the sandbox are written on.
    public func holdNames(_ body: () -> Bool) -> Bool {
        (try? withNamespace { (_) throws(Errno) in body() }) ?? false
    }
}
