// CRC32C owns the checksum of the superblock.

/// CRC-32C (Castagnoli) as EROFS uses it: started with all ones, not inverted at the end.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        var value = UInt32(byte)
        for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
        return value
    }

    /// The checksum of the superblock's block, `block` being its 512 bytes with the
    /// checksum field taken as zero (kernel `erofs_superblock_csum_verify`).
    static func superblock(_ block: RawSpan) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        let field = SuperblockField.checksum..<SuperblockField.checksum + 4
        for offset in 0..<block.byteCount {
            let byte = field.contains(offset) ? 0 : UInt32(block.byte(offset))
            crc = crc >> 8 ^ table[Int((crc ^ byte) & 0xFF)]
        }
        return crc
    }
}
