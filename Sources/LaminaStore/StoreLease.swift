// StoreLease owns a process's say over content that nothing refers to yet, or any more.

import Glibc
import LaminaCore
import LaminaSystem

/// A lock (`flock(2)` on the `ingest` directory) held from before content is recognised or
/// published until a catalogue transaction refers to it. Loads share it; prune has it alone,
/// so that it never removes an object a load is about to rely on.
public struct StoreLease: ~Copyable, Sendable {
    private let descriptor: Descriptor

    fileprivate init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}

extension Store {
    /// Takes the lease, shared with others or alone; `busy` when `wait` is false and another
    /// process is in the way. Dropping it gives it back.
    public func lease(exclusive: Bool, wait: Bool = true) throws(StoreError) -> StoreLease {
        do throws(Errno) {
            let descriptor = try root.openDirectory("ingest")
            try descriptor.lock(exclusive: exclusive, wait: wait)
            return StoreLease(descriptor)
        } catch Errno.wouldBlock {
            throw .busy
        } catch {
            throw .system("lock the store", error)
        }
    }
}
