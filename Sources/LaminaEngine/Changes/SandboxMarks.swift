// SandboxMarks owns the names by which a sandbox's files say what they are (docs/FORMAT.md, "Sandboxes").

import Glibc
import LaminaCore
import LaminaSystem

/// The marks, in the namespace that this process may write, which is the one that its mounts use.
struct SandboxMarks: Sendable {
    let isPrivileged: Bool
    let opaque: ByteString
    let redirect: ByteString
    let origin: ByteString
    let metacopy: ByteString
    let blockMap: ByteString
    let fresh: ByteString
    private let hidden: [ByteString]

    init(privileged: Bool) {
        let namespace: ByteString = privileged ? "trusted." : "user."
        isPrivileged = privileged
        opaque = namespace + "overlay.opaque"
        redirect = namespace + "overlay.redirect"
        origin = namespace + "lamina.origin"
        metacopy = namespace + "overlay.metacopy"
        blockMap = namespace + "lamina.blockmap"
        fresh = namespace + "lamina.fresh"
        hidden =
            ["trusted.overlay.", "trusted.lamina.", "security.selinux"]
            + (privileged ? [] : ["user.overlay.", "user.lamina.", OverrideStat.attribute])
    }

    /// Asks the kernel, which alone knows, with a mark on the sandbox's `work`.
    init(probing work: borrowing Descriptor) throws(Errno) {
        let probe: ByteString = "trusted.lamina.probe"
        do throws(Errno) {
            try work.setExtendedAttribute(probe, [UInt8](repeating: 0, count: 1).raw)
            try? work.removeExtendedAttribute(probe)
            self.init(privileged: true)
        } catch Errno.notPermitted {
            self.init(privileged: false)
        } catch Errno.noSpace {
            self.init(privileged: true)
        } catch Errno.readOnlyFileSystem {
            self.init(privileged: geteuid() == 0)
        }
    }

    /// Whether an xattr is the union's or the host's, and no part of what a container made.
    func hides(_ name: ByteString) -> Bool { hidden.contains { name.hasPrefix($0) } }
}

extension Descriptor {
    /// The value of an xattr that may be missing; nil also where the filesystem keeps none.
    borrowing func mark(_ name: ByteString) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            return try extendedAttribute(name)
        } catch {
            if error == .noData || error == .notSupported { return nil }
            throw error
        }
    }
}
