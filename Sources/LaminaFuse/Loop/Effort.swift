// How long a request may hold up the thread that serves it, told from its first bytes.

import Glibc
import LaminaCore

enum Effort {
    /// It may wait for a disk: somebody else leads meanwhile.
    case long
    /// It moves many bytes: somebody else leads meanwhile when another request waits already.
    case large
    /// Most often as short as a system call. The loop's main thread notices when it is not.
    case short

    /// Bytes whose copying costs what waking another thread does.
    private static let largeTransfer: UInt32 = 65_536

    init(_ header: WireHeader, _ body: RawSpan) {
        switch header.opcode {
        case Opcode.fsync, Opcode.fsyncdir, Opcode.fallocate, Opcode.copyFileRange:
            self = .long
        case Opcode.open:
            // Opening a file of the layers to write may copy it.
            let flags: UInt32? = try? body.wire(at: 0)
            self = (flags ?? 0) & UInt32(O_ACCMODE) == UInt32(O_RDONLY) ? .short : .long
        case Opcode.read, Opcode.write:
            // `struct fuse_read_in` and `fuse_write_in` have the size at one place.
            let size: UInt32? = try? body.wire(at: 16)
            self = (size ?? 0) < Self.largeTransfer ? .short : .large
        default:
            self = .short
        }
    }
}
