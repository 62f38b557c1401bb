// What the union may not have yet; scripts leave it out, and say so.

import LaminaCore
import LaminaSystem
import LaminaTestSupport

enum Feature {
    /// `RENAME_EXCHANGE`.
    static func exchange() throws -> Bool {
        let mount = try MountedSandbox([.file("f", "f"), .file("g", "g")])
        do {
            try mount.rename("f", to: "g", flags: RenameFlag.exchange)
            return true
        } catch let error as Errno where error == .invalidArgument {
            print("NOT TESTED: RENAME_EXCHANGE is refused")
            return false
        }
    }
}
