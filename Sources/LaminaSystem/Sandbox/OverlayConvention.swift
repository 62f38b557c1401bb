// The marks by which a sandbox says things to overlayfs and to itself: xattrs and device
// nodes (kernel Documentation/filesystems/overlayfs.rst).

import Glibc
import LaminaCore

/// Names of the marks, in the namespace that this process may write.
package struct OverlayConvention: Sendable {
    /// Whether the marks are in `trusted.*`; else in `user.*`, as overlayfs's with `userxattr`.
    package let isPrivileged: Bool
    package let opaque: ByteString
    package let redirect: ByteString
    package let origin: ByteString
    /// On a file whose bytes are still the lower's: empty, as overlayfs writes and reads it.
    package let metacopy: ByteString
    /// Ties a file to its block map: `BlockMapMark`.
    package let blockMap: ByteString
    /// On a file whose bytes a power cut may take: the boot that made them, `BootIdentity`.
    package let fresh: ByteString
    /// The value of `metacopy` beside either. Overlayfs answers `EIO` for one that is too
    /// short (fs/overlayfs/util.c, `ovl_check_metacopy_xattr`), where it would show zeros.
    package static let refusedMetacopy: [UInt8] = [UInt8(ascii: "L")]

    private let hidden: [ByteString]

    package init(privileged: Bool) {
        let namespace: ByteString = privileged ? "trusted." : "user."
        isPrivileged = privileged
        opaque = namespace + "overlay.opaque"
        redirect = namespace + "overlay.redirect"
        origin = namespace + "lamina.origin"
        metacopy = namespace + "overlay.metacopy"
        blockMap = namespace + "lamina.blockmap"
        fresh = namespace + "lamina.fresh"
        hidden =
            ["trusted.overlay.", "trusted.lamina."]
            + (privileged ? [] : ["user.overlay.", "user.lamina.", OverrideStat.attribute])
    }

    /// Takes `trusted.*` where this process may write it, which the kernel alone knows: root of
    /// a user namespace may not.
    package init(probing work: borrowing Descriptor) throws(Errno) {
        let probe: ByteString = "trusted.lamina.probe"
        do throws(Errno) {
            try work.setExtendedAttribute(probe, [UInt8](repeating: 0, count: 1).raw)
            try work.removeExtendedAttribute(probe)
            self.init(privileged: true)
        } catch Errno.notPermitted {
            self.init(privileged: false)
        } catch Errno.noSpace {
            // Permission is asked for first; files must be removable on a full disk.
            self.init(privileged: true)
        } catch Errno.readOnlyFileSystem {
            self.init(privileged: geteuid() == 0)
        }
    }

    /// Whether files may record owners other than their own.
    package var readsOwners: Bool { !isPrivileged }

    /// Whether an xattr belongs to the union, and the container neither sees nor sets it.
    package func hides(_ name: ByteString) -> Bool {
        hidden.contains { name.hasPrefix($0) }
    }
}

extension Descriptor {
    /// The value of a mark; nil where the node has none, or the filesystem keeps none.
    package borrowing func mark(_ name: ByteString) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            return try extendedAttribute(name)
        } catch Errno.noData {
            return nil
        } catch Errno.notSupported {
            return nil
        }
    }
}
