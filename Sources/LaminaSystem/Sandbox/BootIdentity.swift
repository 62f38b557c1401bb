// BootIdentity owns how a power cut is told from the end of a process: the kernel makes a
// new identity at each boot.

import Glibc
import LaminaCore

/// `/proc/sys/kernel/random/boot_id`, 16 bytes.
package struct BootIdentity: Equatable, Sendable {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// This boot's.
    /// - Throws: `EIO` when the kernel does not say it.
    package static func current() throws(Errno) -> BootIdentity {
        guard let known else { throw .ioError }
        return known
    }

    private static let known: BootIdentity? = {
        let path: ByteString = "/proc/sys/kernel/random/boot_id"
        guard let text = try? Descriptor.open(path, O_RDONLY).readAll(limit: 64) else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text where character != UInt8(ascii: "-") && character != UInt8(ascii: "\n") {
            guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        return bytes.count == 16 && high == nil ? BootIdentity(bytes: bytes) : nil
    }()
}
