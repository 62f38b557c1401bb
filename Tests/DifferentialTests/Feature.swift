// What the union may not have yet; scripts leave it out, and say so.

import Glibc
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

extension Feature {
    /// Upper files without bytes, whose bytes are the layer's (`metacopy=on`).
    static func metacopy() throws -> Bool {
        let mount = try MountedSandbox([.file("f", "bytes")])
        try mount.unmount()
        let upper = try Descriptor.open(mount.sandbox.appending("upper"), O_RDONLY | O_DIRECTORY)
        let file = try upper.open("f", O_RDWR | O_CREAT, permissions: 0o600)
        try file.truncate(to: 5)
        let nothing: [UInt8] = []
        try file.setExtendedAttribute("trusted.overlay.metacopy", nothing.raw)
        try mount.mountAgain()
        if try mount.read("f") == "bytes" { return true }
        print("NOT TESTED: files of overlayfs with metacopy=on")
        return false
    }
}
