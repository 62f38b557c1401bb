// BlockMapFile owns the reading of a block map (docs/FORMAT-sandbox.md, "maps/"): which blocks of a
// sandbox's file are its own. It never writes one.

import Glibc
import LaminaCore
import LaminaSystem

/// A block map in memory.
struct BlockMapFile: Sendable {
    private static let headerSize = 64
    private static let bitmapOffset: Int64 = 4096
    private static let shifts: ClosedRange<UInt64> = 12...40
    private static let mostBlocks: UInt64 = 1 << 20

    private let shift: UInt64
    private let count: Int
    private let words: [UInt64]

    /// Reads the map of the lower file `nid` of `size` bytes. After a power cut only what is durable counts.
    /// - Throws: `EBADMSG` for a file that is none.
    init(_ file: borrowing Descriptor, nid: UInt64, size: UInt64) throws(Errno) {
        let header = try file.readBytes(at: 0, count: Self.headerSize)
        func number(_ offset: Int, _ length: Int) -> UInt64 {
            (0..<length).reduce(0) { $0 | UInt64(header[offset + $1]) << UInt64(8 * $1) }
        }
        guard header.count == Self.headerSize, header.starts(with: Array("LAMBMAP1".utf8)), number(8, 4) == 1,
            number(16, 8) == nid, number(24, 8) == size, size > 0, size <= Limits.fileSize
        else { throw .badMessage }
        let shift = number(12, 4)
        guard Self.shifts.contains(shift), size >> shift < Self.mostBlocks else { throw .badMessage }
        self.shift = shift
        count = Int((size + (1 << shift) - 1) >> shift)
        let wordCount = (count + 63) / 64
        let space = (Int64(wordCount) * 8 + 4095) / 4096 * 4096
        guard try file.status().size == Self.bitmapOffset + 2 * space else { throw .badMessage }
        let isThisBoots = try Array(header[32..<48]) == BootID.current()
        let bytes = try file.readBytes(
            at: Self.bitmapOffset + (isThisBoots ? 0 : space), count: wordCount * 8)
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

/// The kernel's name for the time since it was started.
enum BootID {
    /// `/proc/sys/kernel/random/boot_id` as 16 bytes; `EIO` where the kernel does not say it.
    static func current() throws(Errno) -> [UInt8] {
        let text = try Descriptor.open("/proc/sys/kernel/random/boot_id", O_RDONLY).readAll(limit: 64)
        let digits = text.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 32 else { throw .ioError }
        return (0..<16).map { UInt8(digits[2 * $0] << 4 | digits[2 * $0 + 1]) }
    }
}
