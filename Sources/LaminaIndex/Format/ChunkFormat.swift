// How a file is cut into chunks: one chunk wherever the format can say so.

/// The chunk size and number of chunks of a file.
struct ChunkFormat {
    /// log2(chunk size) - 9.
    let bits: UInt16
    /// The number of chunk indexes, at least one for a file that is not empty.
    let count: Int

    /// At most this many chunks of 1 TiB are written.
    static let maximumCount = 1024

    /// The smallest chunk that holds `size` bytes; 1 TiB chunks where none does.
    init(size: UInt64) {
        let blocks = size / UInt64(Erofs.blockSize) + (size % UInt64(Erofs.blockSize) == 0 ? 0 : 1)
        let needed = blocks <= 1 ? 0 : UInt64.bitWidth - (blocks - 1).leadingZeroBitCount
        bits = UInt16(min(needed, Int(Erofs.chunkBitsMask)))
        count = Int((blocks + (1 << UInt64(bits)) - 1) >> UInt64(bits))
    }

    /// The inode's chunk format field.
    var field: UInt32 { UInt32(bits | Erofs.chunkIndexesFlag) }
}
