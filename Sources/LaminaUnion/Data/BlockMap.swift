// BlockMap owns one block map file: which blocks of a sandbox's file are its own. A bit is
// set in the file only after the block's bytes are in the sandbox's file, and it is
// "durable" only after they were synced: that is what counts after a power cut.

import LaminaCore
import LaminaSystem

/// A loaded block map. Guarded by the lock of the file that it belongs to.
struct BlockMap {
    let file: SharedDescriptor
    let header: BlockMapHeader
    private(set) var written: BlockBits
    private(set) var durable: BlockBits

    var blockSize: UInt64 { 1 << UInt64(header.blockShift) }

    /// Makes the empty map of a lower file in `file`. Until both are synced the file is marked fresh.
    init(creating file: SharedDescriptor, nid: UInt64, size: UInt64) throws(Errno) {
        header = BlockMapHeader(nid: nid, originalSize: size, boot: try BootIdentity.current())
        self.file = file
        written = BlockBits(count: header.blockCount)
        durable = written
        try file.descriptor.truncate(to: header.fileSize)
        try file.descriptor.writeAll(header.encoded.raw, at: 0)
    }

    /// Loads a map; of one that another boot wrote, only what is durable counts.
    /// - Parameter readOnly: the file is left as it is.
    /// - Throws: `EBADMSG` for a file that is no map.
    init(loading file: SharedDescriptor, readOnly: Bool) throws(Errno) {
        let bytes = try file.descriptor.readBytes(at: 0, count: BlockMapHeader.size)
        guard var header = BlockMapHeader(bytes), try file.descriptor.status().size == header.fileSize
        else { throw .badMessage }
        self.file = file
        durable = try Self.read(file, header, at: BlockMapHeader.bitmapOffset + header.bitmapSpace)
        let boot = try BootIdentity.current()
        guard header.boot != boot else {
            written = try Self.read(file, header, at: BlockMapHeader.bitmapOffset)
            self.header = header
            return
        }
        written = durable
        header.boot = boot
        self.header = header
        guard !readOnly else { return }
        // The bits first: until the header says otherwise they do not count.
        try write(BlockBits.Change(first: 0, words: written.words), at: BlockMapHeader.bitmapOffset)
        try file.descriptor.writeAll(header.encoded.raw, at: 0)
    }

    private static func read(
        _ file: SharedDescriptor, _ header: BlockMapHeader, at offset: Int64
    ) throws(Errno) -> BlockBits {
        let count = BlockMapHeader.wordCount(header.blockCount)
        let bytes = try file.descriptor.readBytes(at: offset, count: count * 8)
        guard bytes.count == count * 8 else { throw .badMessage }
        var words = [UInt64](repeating: 0, count: count)
        for (index, byte) in bytes.enumerated() {
            words[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8))
        }
        return BlockBits(count: header.blockCount, words: words)
    }

    private func write(_ change: BlockBits.Change, at offset: Int64) throws(Errno) {
        guard !change.words.isEmpty else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(change.words.count * 8)
        for word in change.words {
            for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
        }
        try file.descriptor.writeAll(bytes.raw, at: offset + Int64(change.first) * 8)
    }

    /// The block that holds `offset`.
    func block(at offset: UInt64) -> Int {
        Int(clamping: offset >> UInt64(header.blockShift))
    }

    /// Whether the bytes at `offset` are the file's own, and up to where, at most `end`, that holds.
    func run(at offset: UInt64, below end: UInt64) -> (isOwn: Bool, end: UInt64) {
        guard end > offset else { return (true, offset) }
        let first = block(at: offset)
        let last = written.endOfRun(from: first, below: block(at: end - 1) + 1)
        let (limit, overflow) = UInt64(last).multipliedReportingOverflow(by: blockSize)
        return (written.contains(first), overflow ? end : min(end, max(limit, offset + 1)))
    }

    /// Notes that the bytes of these blocks are in the sandbox's file.
    mutating func setWritten(_ blocks: Range<Int>) throws(Errno) {
        let change = written.adding(blocks)
        try write(change, at: BlockMapHeader.bitmapOffset)
        written.apply(change)
    }

    /// Notes that blocks which were written before a sync are durable. The caller syncs `file`.
    mutating func setDurable(_ blocks: BlockBits) throws(Errno) {
        let change = durable.adding(blocks)
        try write(change, at: BlockMapHeader.bitmapOffset + header.bitmapSpace)
        durable.apply(change)
    }

    /// Whether every byte below `limit` is the file's own.
    func isComplete(below limit: UInt64) -> Bool {
        guard limit > 0 else { return true }
        let needed = block(at: limit - 1) + 1
        guard written.setCount >= min(needed, written.count), written.contains(0) else { return false }
        return written.endOfRun(from: 0, below: needed) >= min(needed, written.count)
    }
}
