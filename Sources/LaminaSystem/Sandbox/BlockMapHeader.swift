// BlockMapHeader owns the first bytes of a block map file (docs/FORMAT-sandbox.md). What
// it decodes was checked: its numbers may size buffers.

import LaminaCore

/// The fixed part of a block map.
package struct BlockMapHeader: Equatable {
    /// The lower node that the file was copied from.
    package var nid: UInt64
    /// Bytes of that lower file.
    package var originalSize: UInt64
    /// log2 of a block's bytes.
    package var blockShift: UInt8
    /// The boot in which the bits were last written.
    package var boot: BootIdentity

    package static let magic: [UInt8] = Array("LAMBMAP1".utf8)
    package static let version: UInt32 = 1
    /// Bytes of the header's fields, and where the first bitmap starts.
    package static let size = 64
    package static let bitmapOffset: Int64 = 4096
    /// Blocks of 4 KiB, larger ones where a file would have more than 2²⁰ of them.
    package static let smallestShift: UInt8 = 12
    package static let largestShift: UInt8 = 40
    package static let mostBlocks: UInt64 = 1 << 20

    package init(nid: UInt64, originalSize: UInt64, boot: BootIdentity) {
        self.nid = nid
        self.originalSize = originalSize
        self.boot = boot
        blockShift = Self.smallestShift
        while originalSize >> UInt64(blockShift) >= Self.mostBlocks { blockShift += 1 }
    }

    /// Nil when the bytes are no header that this version writes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.size, Array(bytes[..<8]) == Self.magic else { return nil }
        func number(_ offset: Int, _ length: Int) -> UInt64 {
            (0..<length).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
        }
        guard number(8, 4) == UInt64(Self.version) else { return nil }
        let size = number(24, 8)
        guard size > 0, size <= Limits.fileSize else { return nil }
        self.init(
            nid: number(16, 8), originalSize: size, boot: BootIdentity(bytes: Array(bytes[32..<48])))
        // Others than this version would choose are as good.
        let shift = number(12, 4)
        guard shift >= blockShift, shift <= Self.largestShift else { return nil }
        blockShift = UInt8(shift)
    }

    package var encoded: [UInt8] {
        var bytes = Self.magic
        func append(_ value: UInt64, _ length: Int) {
            for index in 0..<length { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        append(UInt64(Self.version), 4)
        append(UInt64(blockShift), 4)
        append(nid, 8)
        append(originalSize, 8)
        bytes += boot.bytes
        bytes += [UInt8](repeating: 0, count: Self.size - bytes.count)
        return bytes
    }

    /// At most `mostBlocks`.
    package var blockCount: Int {
        Int((originalSize &+ (1 << UInt64(blockShift)) &- 1) >> UInt64(blockShift))
    }

    /// Words of 64 bits that hold so many blocks' bits.
    package static func wordCount(_ blocks: Int) -> Int { (blocks + 63) / 64 }

    /// Bytes that each bitmap has in the file: whole pages.
    package var bitmapSpace: Int64 {
        (Int64(Self.wordCount(blockCount)) * 8 + 4095) / 4096 * 4096
    }

    package var fileSize: Int64 { Self.bitmapOffset + 2 * bitmapSpace }
}
