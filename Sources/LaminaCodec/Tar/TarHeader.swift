// TarHeader decodes the one fixed block of 512 bytes that every entry starts with.

import LaminaCore

/// The fields of a header block, in the dialects v7, ustar, GNU and star.
///
/// Follows POSIX.1-2017 `pax`, "ustar Interchange Format"; GNU tar manual, "Basic Tar
/// Format"; libarchive `tar(5)`.
struct TarHeader {
    static let size = 512

    var name: [UInt8]
    var mode: UInt32
    var uid: Int64
    var gid: Int64
    var size: Int64
    var mtime: Int64
    var type: UInt8
    var linkName: [UInt8]
    var device = DeviceNumber.zero
    /// Of a sparse file in GNU's old form.
    var sparse: SparseHeader?

    /// What a header of type `S` says of the holes (GNU tar `src/tar.h`, `struct oldgnu_header`).
    struct SparseHeader {
        var size: Int64
        /// Offsets and lengths by turns.
        var numbers: [Int64]
        /// Whether blocks with more of them follow.
        var isExtended: Bool
    }

    private enum Dialect {
        case v7
        case ustar
        case star
        case gnu
    }

    /// Decodes `block`, of exactly 512 bytes.
    init(_ block: Span<UInt8>) throws(TarFault) {
        guard Self.checksumMatches(block) else { throw .badChecksum }
        let dialect = Self.dialect(of: block)
        name = Self.text(block, 0..<100)
        switch dialect {
        case .ustar: name = Self.joined(Self.text(block, 345..<500), name)
        case .star: name = Self.joined(Self.text(block, 345..<476), name)
        case .gnu where Self.hasPrefix(block): name = Self.joined(Self.text(block, 345..<500), name)
        case .v7, .gnu: break
        }
        mode = UInt32(truncatingIfNeeded: try Self.number(block, 100..<108) & 0o7777)
        uid = try Self.number(block, 108..<116)
        gid = try Self.number(block, 116..<124)
        size = try Self.number(block, 124..<136)
        mtime = try Self.number(block, 136..<148)
        type = block[156]
        linkName = Self.text(block, 157..<257)
        if size < 0 { throw .numberOutOfRange }
        if dialect == .gnu, type == UInt8(ascii: "S") {
            sparse = SparseHeader(
                size: try Self.number(block, 483..<495),
                numbers: try SparseMapReader.pairs(block, at: 386, count: 4), isExtended: block[482] != 0)
        }
        if dialect != .v7, type == UInt8(ascii: "3") || type == UInt8(ascii: "4") {
            guard let major = UInt32(exactly: try Self.number(block, 329..<337)),
                let minor = UInt32(exactly: try Self.number(block, 337..<345))
            else { throw .numberOutOfRange }
            device = DeviceNumber(major: major, minor: minor)
        }
    }

    /// Whether every byte is 0: a mark of the end.
    static func isZero(_ block: Span<UInt8>) -> Bool {
        var bits: UInt8 = 0
        for index in block.indices { bits |= block[index] }
        return bits == 0
    }

    /// The stored sum must be that of the bytes, taken as unsigned or, as some old writers
    /// did, as signed numbers, with the field itself as spaces.
    private static func checksumMatches(_ block: Span<UInt8>) -> Bool {
        var unsigned: Int64 = 0
        var high: Int64 = 0
        for index in block.indices {
            unsigned &+= Int64(block[index])
            high &+= Int64(block[index] >> 7)
        }
        for index in 148..<156 {
            unsigned -= Int64(block[index])
            high -= Int64(block[index] >> 7)
        }
        unsigned += 8 * 32
        guard case .success(let stored) = TarNumber.field(block.extracting(148..<156)) else { return false }
        return stored == unsigned || stored == unsigned - 256 * high
    }

    private static func dialect(of block: Span<UInt8>) -> Dialect {
        func has(_ text: StaticString, at offset: Int) -> Bool {
            // SAFETY: a literal's own bytes.
            let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
            for index in bytes.indices where unsafe block[offset + index] != bytes[index] { return false }
            return true
        }
        if has("ustar\0", at: 257) { return has("tar\0", at: 508) ? .star : .ustar }
        return has("ustar  \0", at: 257) ? .gnu : .v7
    }

    /// GNU keeps times where ustar has its prefix. Go before 1.8 wrote a prefix under GNU's
    /// magic all the same: what is no number there is one.
    private static func hasPrefix(_ block: Span<UInt8>) -> Bool {
        for range in [345..<357, 357..<369] {
            if case .failure(.malformed) = TarNumber.field(block.extracting(range)) { return true }
        }
        return false
    }

    private static func number(_ block: Span<UInt8>, _ range: Range<Int>) throws(TarFault) -> Int64 {
        switch TarNumber.field(block.extracting(range)) {
        case .success(let value): return value
        case .failure(.malformed): throw .badNumber
        case .failure(.outOfRange): throw .numberOutOfRange
        }
    }

    /// The bytes of a field up to its first NUL.
    private static func text(_ block: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        for index in range {
            if block[index] == 0 { break }
            result.append(block[index])
        }
        return result
    }

    private static func joined(_ prefix: [UInt8], _ name: [UInt8]) -> [UInt8] {
        prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }
}
