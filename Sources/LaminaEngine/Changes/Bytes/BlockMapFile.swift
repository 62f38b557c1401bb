// BlockMapFile owns the reading of a block map (docs/FORMAT-sandbox.md, "maps/"): which blocks of a
// sandbox's file are its own. It never writes one.

import Glibc
import LaminaCore
import LaminaSystem

/// A block map in memory.
struct BlockMapFile: Sendable {
    private let shift: UInt64
    private let count: Int
    private let words: [UInt64]

    /// Reads the map of the lower file `nid` of `size` bytes. After a power cut only what is durable counts.
    /// - Throws: `EBADMSG` for a file that is none.
    init(_ file: borrowing Descriptor, nid: UInt64, size: UInt64) throws(Errno) {
        guard let header = BlockMapHeader(try file.readBytes(at: 0, count: BlockMapHeader.size)),
            header.nid == nid, header.originalSize == size, try file.status().size == header.fileSize
        else { throw .badMessage }
        shift = UInt64(header.blockShift)
        count = header.blockCount
        let wordCount = BlockMapHeader.wordCount(count)
        let isThisBoots = try header.boot == BootIdentity.current()
        let bytes = try file.readBytes(
            at: BlockMapHeader.bitmapOffset + (isThisBoots ? 0 : header.bitmapSpace), count: wordCount * 8)
        guard bytes.count == wordCount * 8 else { throw .badMessage }
        var words = [UInt64](repeating: 0, count: wordCount)
        for (index, byte) in bytes.enumerated() {
            words[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8))
        }
        self.words = words
    }

    /// Whether the byte at `offset` is the file's own, and up to where, at most `end`, that holds.
    func run(at offset: UInt64, below end: UInt64) -> (isOwn: Bool, end: UInt64) {
        var block = Int(clamping: offset >> shift)
        let isOwn = contains(block)
        while UInt64(block) << shift < end, contains(block) == isOwn { block += 1 }
        return (isOwn, min(UInt64(block) << shift, end))
    }

    private func contains(_ block: Int) -> Bool {
        block < count && words[block / 64] & (1 << UInt64(block % 64)) != 0
    }
}
