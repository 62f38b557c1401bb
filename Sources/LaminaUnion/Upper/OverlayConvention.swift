// The marks by which a sandbox says things to overlayfs and to itself: xattrs and device
// nodes (kernel Documentation/filesystems/overlayfs.rst).

import Glibc
import LaminaCore
import LaminaSystem

/// Names of the marks, in the namespace that this process may write.
struct OverlayConvention: Sendable {
    let opaque: ByteString
    let redirect: ByteString
    let origin: ByteString
    /// On a file whose bytes are still the lower's: empty, as overlayfs writes and reads it.
    let metacopy: ByteString
    /// Ties a file to its block map: `BlockMapMark`.
    let blockMap: ByteString
    /// The value of `metacopy` beside a block map. Overlayfs answers `EIO` for one that is too
    /// short (fs/overlayfs/util.c, `ovl_check_metacopy_xattr`), where it would show zeros.
    static let refusedMetacopy: [UInt8] = [UInt8(ascii: "L")]

    private let hidden: [ByteString]

    /// - Parameter privileged: whether `trusted.*` may be written; otherwise `user.*` is
    ///   used, as overlayfs does with `userxattr`.
    init(privileged: Bool) {
        let namespace: ByteString = privileged ? "trusted." : "user."
        opaque = namespace + "overlay.opaque"
        redirect = namespace + "overlay.redirect"
        origin = namespace + "lamina.origin"
        metacopy = namespace + "overlay.metacopy"
        blockMap = namespace + "lamina.blockmap"
        hidden =
            ["trusted.overlay.", "trusted.lamina."] + (privileged ? [] : ["user.overlay.", "user.lamina."])
    }

    /// Whether an xattr belongs to the union, and the container neither sees nor sets it.
    func hides(_ name: ByteString) -> Bool {
        hidden.contains { name.hasPrefix($0) }
    }
}
