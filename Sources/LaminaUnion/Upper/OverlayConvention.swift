// The marks by which a sandbox says things to overlayfs and to itself: xattrs and device
// nodes (kernel Documentation/filesystems/overlayfs.rst).

import Glibc
import LaminaCore
import LaminaSystem

/// Names of the marks, in the namespace that this process may write.
struct OverlayConvention: Sendable {
    /// Whether the marks are in `trusted.*`; else in `user.*`, as overlayfs's with `userxattr`.
    let isPrivileged: Bool
    let opaque: ByteString
    let redirect: ByteString
    let origin: ByteString
    private let hidden: [ByteString]

    init(privileged: Bool) {
        let namespace: ByteString = privileged ? "trusted." : "user."
        isPrivileged = privileged
        opaque = namespace + "overlay.opaque"
        redirect = namespace + "overlay.redirect"
        origin = namespace + "lamina.origin"
        hidden =
            ["trusted.overlay.", "trusted.lamina."]
            + (privileged ? [] : ["user.overlay.", "user.lamina.", OverrideStat.attribute])
    }

    /// Takes `trusted.*` where this process may write it, which the kernel alone knows: root of
    /// a user namespace may not.
    init(probing work: borrowing Descriptor) throws(Errno) {
        let probe: ByteString = "trusted.lamina.probe"
        do throws(Errno) {
            try work.setExtendedAttribute(probe, [UInt8](repeating: 0, count: 1).raw)
            try work.removeExtendedAttribute(probe)
            self.init(privileged: true)
        } catch Errno.notPermitted {
            self.init(privileged: false)
        } catch Errno.readOnlyFileSystem {
            self.init(privileged: geteuid() == 0)
        }
    }

    /// Whether files may record owners other than their own.
    var readsOwners: Bool { !isPrivileged }

    /// Whether an xattr belongs to the union, and the container neither sees nor sets it.
    func hides(_ name: ByteString) -> Bool {
        hidden.contains { name.hasPrefix($0) }
    }
}
