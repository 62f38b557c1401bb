// VolumeName owns what a volume may be called. A name is a directory's name, so nothing that leaves the
// room of the volumes is one.

import LaminaCore

enum VolumeName {
    private static let allowed = "[a-zA-Z0-9][a-zA-Z0-9_.-]"

    /// Docker's rule: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`; at most as long as a file's name.
    static func check(_ name: ByteString) throws(Refusal) {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: false
            }
        }
        if name.count == 1 {
            throw Refusal("volume name is too short, names should be at least two alphanumeric characters")
        }
        let isValid =
            name.bytes.first.map(isAlphanumeric) ?? false
            && name.bytes.allSatisfy { isAlphanumeric($0) || [0x5F, 0x2E, 0x2D].contains($0) }
        guard isValid else {
            throw Refusal(
                "\"\(name)\" includes invalid characters for a local volume name, only \"\(allowed)\" are "
                    + "allowed. If you intended to pass a host directory, use absolute path")
        }
        if name.count > Limits.nameLength {
            throw Refusal("volume name is longer than \(Limits.nameLength) bytes")
        }
    }

    /// A name for a volume that nobody names: 64 hexadecimal digits drawn at random.
    static func anonymous() -> String { Engine.newID() }
}
