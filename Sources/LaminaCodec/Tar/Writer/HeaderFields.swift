// HeaderFields owns the 512 bytes of a ustar header.

import LaminaCore

/// The fields of a header, each within its bounds.
struct HeaderFields {
    static let nameLength = 100
    /// What eleven and seven octal digits hold.
    static let sizeLimit: UInt64 = 0o77_777_777_777
    static let ownerLimit: UInt64 = 0o7_777_777

    var name: [UInt8] = []
    var link: [UInt8] = []
    var type = UInt8(ascii: "0")
    var mode: UInt64 = 0
    var uid: UInt64 = 0
    var gid: UInt64 = 0
    var size: UInt64 = 0
    var time: UInt64 = 0
    var device = DeviceNumber.zero

    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        func put(_ field: [UInt8], at offset: Int) {
            bytes.replaceSubrange(offset..<offset + field.count, with: field)
        }
        put(name, at: 0)
        put(Self.octal(mode, 7), at: 100)
        put(Self.octal(uid, 7), at: 108)
        put(Self.octal(gid, 7), at: 116)
        put(Self.octal(size, 11), at: 124)
        put(Self.octal(time, 11), at: 136)
        bytes[156] = type
        put(link, at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put(Self.octal(UInt64(device.major), 7), at: 329)
        put(Self.octal(UInt64(device.minor), 7), at: 337)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        put(Self.octal(bytes.reduce(0) { $0 + UInt64($1) }, 6) + [0, UInt8(ascii: " ")], at: 148)
        return bytes
    }

    /// The lowest `digits` octal digits.
    private static func octal(_ value: UInt64, _ digits: Int) -> [UInt8] {
        (0..<digits).reversed().map { UInt8(ascii: "0") + UInt8(value >> UInt64(3 * $0) & 7) }
    }
}
