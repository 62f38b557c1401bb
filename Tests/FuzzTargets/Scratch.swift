// Scratch makes files in memory, without names, for indexes that are written and mapped.

import Glibc
import LaminaCore
import LaminaSystem

enum Scratch {
    /// A fresh file; nil when the system gives none, which is no finding.
    static func file() -> Descriptor? {
        try? Descriptor.open("/dev/shm", OpenFlag.temporary | O_RDWR, permissions: 0o600)
    }

}
