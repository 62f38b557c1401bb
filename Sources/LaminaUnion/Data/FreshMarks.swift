// FreshMarks owns the two xattrs of a copy whose bytes are not known to be durable: which boot made
// it, and the metacopy value that keeps overlayfs away. Invariant: `metacopy` is the last mark of a
// file to go, so that a file without it has none.

import Glibc
import LaminaCore
import LaminaSystem

extension UpperTree {
    /// Notes that what is copied into a file from now on is this boot's, and not synced.
    func setFresh(_ file: borrowing Descriptor) throws(Errno) {
        try unsettled.begin()
        let boot = try BootIdentity.current().bytes
        try file.setExtendedAttribute(convention.fresh, boot.raw)
    }

    /// Has overlayfs answer `EIO` where it could only show garbage.
    func setRefused(_ file: borrowing Descriptor) throws(Errno) {
        let refused = OverlayConvention.refusedMetacopy
        try file.setExtendedAttribute(convention.metacopy, refused.raw)
    }

    /// Notes that a map says which of a file's bytes are its own, and keeps overlayfs away from it.
    func setMap(_ mark: BlockMapMark, of file: borrowing Descriptor) throws(Errno) {
        try file.setExtendedAttribute(convention.blockMap, mark.encoded.raw)
        try setRefused(file)
    }

    /// Makes a file like any other: all its bytes are its own, durably.
    func removeMarks(of file: borrowing Descriptor) throws(Errno) {
        try file.removeMark(convention.fresh)
        try file.removeMark(convention.metacopy)
    }
}

extension Descriptor {
    /// Removes an xattr that may be missing.
    borrowing func removeMark(_ name: ByteString) throws(Errno) {
        do throws(Errno) {
            try removeExtendedAttribute(name)
        } catch Errno.noData {
            return
        }
    }
}
