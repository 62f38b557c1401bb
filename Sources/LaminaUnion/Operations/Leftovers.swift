// Finding the copies that a killed server left unsettled. Most are met when somebody looks them up;
// the others must not wait for that until a power cut takes what is long old.

import LaminaCore
import LaminaSystem

extension Union {
    /// Settles all copies, those among them that nobody looked up since a server was killed.
    /// O(entries of the sandbox) the first time after that, else O(copies).
    func settleAll() throws(Errno) {
        if upper.unsettled.claimLeftovers() {
            do throws(Errno) {
                try takeUpLeftovers(in: upper.root.openDirectory("."), [])
            } catch {
                upper.unsettled.leaveLeftovers()
                throw error
            }
        }
        try upper.unsettled.settle()
    }

    /// Looks up each marked file below a directory of the sandbox, by which it comes into the set. What lies
    /// deeper than any layer may waits until somebody looks it up: a container makes trees of any depth.
    private func takeUpLeftovers(
        in directory: borrowing Descriptor, _ path: [ByteString]
    ) throws(Errno) {
        guard path.count < Limits.depth else { return }
        for entry in try directory.entries() {
            do throws(Errno) {
                let handle = try directory.openPath(entry.name)
                switch try handle.status().type {
                case .directory:
                    try takeUpLeftovers(in: directory.openDirectory(entry.name), path + [entry.name])
                case .regular where try handle.mark(upper.convention.fresh) != nil:
                    try meet(path + [entry.name])
                default: break
                }
            } catch Errno.noSuchFileOrDirectory {
                // Removed or renamed meanwhile, for which it was looked up.
                continue
            }
        }
    }

    private func meet(_ path: [ByteString]) throws(Errno) {
        try withNamespace { (namespace) throws(Errno) in
            var directory = NodeID.root
            for name in path {
                guard let entry = try namespace.lookup(name, in: directory) else { return }
                directory = entry.id
            }
        }
    }
}
