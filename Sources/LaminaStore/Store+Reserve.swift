// The reserve: a file of bytes that a prune gives up when the disk is full, because the catalogue's log and the
// directory of what goes need room before any is free.

import Glibc
import LaminaCore
import LaminaSystem

extension Store {
    static let reserveName: ByteString = "reserve"
    /// More than a step of a prune writes.
    static let reserveSize: Int64 = 8 << 20

    /// Makes the reserve where it is missing and there is room for more than it. What goes wrong is for another time.
    public func keepReserve() {
        if let status = try? root.status(of: Self.reserveName), status.size >= Self.reserveSize { return }
        guard let free = Self.freeBytes(in: root), free >= 2 * Self.reserveSize else { return }
        do throws(Errno) {
            let file = try root.open(
                Self.reserveName, O_RDWR | O_CREAT | O_NOFOLLOW, permissions: 0o600)
            try file.allocate(mode: 0, offset: 0, length: Self.reserveSize)
        } catch {
            try? root.removeFile(Self.reserveName)
        }
    }

    /// Gives the reserve up for as long as nothing is there that a prune could remove.
    public func dropReserve() {
        try? root.removeFile(Self.reserveName)
    }

    /// Gives the reserve of the store at `path` up if its filesystem has less free than that.
    public static func giveUpReserve(at path: ByteString) {
        guard let root = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY), let free = freeBytes(in: root),
            free < reserveSize
        else { return }
        try? root.removeFile(reserveName)
    }

    private static func freeBytes(in root: borrowing Descriptor) -> Int64? {
        guard let status = try? root.filesystemStatus() else { return nil }
        let (bytes, overflow) = status.availableBlocks.multipliedReportingOverflow(by: status.fragmentSize)
        return overflow ? .max : Int64(clamping: bytes)
    }
}
