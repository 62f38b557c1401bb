// FileSeal owns the checksum that a file carries beside its bytes, for files of the store whose names say nothing about
// them. It is an xattr, so that it goes where the file goes. It finds damage, and no malice: who may write the store's
// files may write this too.

import CISAL
import Glibc
import LaminaCore
import LaminaSystem

/// Size and CRC-64 (ECMA-182, reflected) of a file's bytes.
public struct FileSeal: Sendable, Hashable {
    private var size: UInt64 = 0
    private var checksum: UInt64 = 0

    /// The xattr: both numbers, little-endian.
    public static let attribute: ByteString = "user.lamina.seal"

    /// What a file's seal says of its bytes.
    public enum State: Sendable, Hashable {
        case whole
        case damaged
        /// It has none: it was made before there were seals, or where files have no xattrs.
        case missing
    }

    public init() {}

    /// Of all bytes of a file. O(bytes).
    public init(of file: borrowing Descriptor) throws(Errno) {
        var seal = FileSeal()
        try file.forEachPiece { seal.update($0) }
        self = seal
    }

    /// Takes the next bytes. O(bytes).
    public mutating func update(_ bytes: RawSpan) {
        size &+= UInt64(bytes.byteCount)
        // SAFETY: the library only reads the span's bytes during the call.
        checksum = unsafe bytes.withUnsafeBytes { buffer in
            unsafe crc64_ecma_refl(
                checksum, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(buffer.count))
        }
    }

    private var encoded: [UInt8] {
        [size, checksum].flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    /// Seals a file, which has mode 0444 from then on. Where files have no xattrs, nothing happens.
    public func attach(to file: borrowing Descriptor) throws(Errno) {
        do throws(Errno) {
            do throws(Errno) {
                try file.setExtendedAttribute(Self.attribute, encoded.raw)
            } catch Errno.permissionDenied {
                // Who is not root needs the permission to write, though he made the file.
                try file.setPermissions(0o644)
                try file.setExtendedAttribute(Self.attribute, encoded.raw)
                try file.setPermissions(0o444)
            }
        } catch Errno.notSupported {
            return
        }
    }

    /// Compares a file with its seal. O(bytes).
    public static func state(of file: borrowing Descriptor) throws(Errno) -> State {
        let known: [UInt8]
        do throws(Errno) {
            known = try file.extendedAttribute(attribute)
        } catch {
            if error == .noData || error == .notSupported { return .missing }
            throw error
        }
        return try FileSeal(of: file).encoded == known ? .whole : .damaged
    }
}

extension SHA256 {
    /// The digest of all bytes of a file. O(bytes).
    public static func digest(of file: borrowing Descriptor) throws(Errno) -> Digest {
        var hash = SHA256()
        try file.forEachPiece { hash.update($0) }
        return hash.finish()
    }
}
