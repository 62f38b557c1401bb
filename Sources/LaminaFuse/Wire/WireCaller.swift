// What a request does not say of the process that made it.

import Glibc
import LaminaCore
import LaminaSystem

/// The process, or thread, behind a request.
struct WireCaller {
    /// As this process sees it; 0 when it is in a pid namespace that this one does not see.
    let process: UInt32

    /// `CAP_FSETID` of `capabilities(7)`: writes keep setuid and setgid bits.
    private static let setuidKeeping: UInt64 = 1 << 4

    /// Whether its writes keep setuid bits; false, the safe answer, when that cannot be told.
    var keepsSetuidBits: Bool {
        guard process != 0,
            let file = try? Descriptor.open(ByteString("/proc/\(process)/status"), O_RDONLY),
            let bytes = try? file.readBytes(at: 0, count: 16_384)
        else { return false }
        let name: [UInt8] = Array("CapEff:".utf8)
        guard let line = bytes.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: name) })
        else { return false }
        let digits = line.dropFirst(name.count).drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
        guard let set = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) else { return false }
        return set & Self.setuidKeeping != 0
    }
}
