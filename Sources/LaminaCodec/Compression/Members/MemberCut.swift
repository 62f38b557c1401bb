// MemberCut owns the knowledge of where a run of members or frames can be cut without decoding it.

import CZstd
import LaminaCore
import LaminaSystem

/// Finds places where one member or frame may end and the next begin.
enum MemberCut {
    /// The last such place behind the first byte of `bytes`, which start with a member or frame;
    /// nil where none is seen. Of zstd it is one unless the data is damaged; of gzip it is a
    /// guess, which counts only when a decoder ends there.
    static func last(in bytes: Span<UInt8>, of compression: Compression) -> Int? {
        switch compression {
        case .gzip: gzip(bytes)
        case .zstd: zstd(bytes)
        case .none, .lz4: nil
        }
    }

    /// Bytes of a gzip member's fixed header (RFC 1952 section 2.3), and of the smallest member.
    private static let headerSize = 10
    private static let memberSize = 18

    /// Looks for a header like the first one: what one writer appends to one file agrees in all
    /// but the time, and files of other writers that lie within the data do not look alike.
    private static func gzip(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count > memberSize, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else { return nil }
        var found: Int?
        var start = memberSize
        while let place = bytes.raw.firstOffset(of: bytes.raw.extracting(0..<4), from: start) {
            guard place + headerSize <= bytes.count else { break }
            if bytes[place + 8] == bytes[8] && bytes[place + 9] == bytes[9] { found = place }
            start = place + 4
        }
        return found
    }

    /// Adds up whole frames, of which the library reads the headers of blocks only. Ends before a
    /// frame whose window is too large to have several of.
    private static func zstd(_ bytes: Span<UInt8>) -> Int? {
        var end = 0
        while end < bytes.count {
            let rest = bytes.extracting(end..<bytes.count)
            guard ZstdFrameHeader.window(rest) <= windowLimit else { break }
            // SAFETY: the library reads within the size given.
            let size = unsafe rest.withUnsafeBytes { buffer in
                unsafe ZSTD_findFrameCompressedSize(buffer.baseAddress, buffer.count)
            }
            if ZSTD_isError(size) != 0 || size == 0 || size > rest.count { break }
            end += size
        }
        return end > 0 ? end : nil
    }

    /// Bytes of window that each of several decoders may keep.
    private static let windowLimit: UInt64 = 4 << 20
}

/// The part of a zstd frame's header that says how much memory its decoder needs.
enum ZstdFrameHeader {
    /// The window size of the frame that `bytes` start with (RFC 8878 section 3.1.1.1); 0 for a
    /// skippable frame, and for what is no frame or not all of its header.
    static func window(_ bytes: Span<UInt8>) -> UInt64 {
        guard bytes.count >= 6, bytes[0] == 0x28, bytes[1] == 0xB5, bytes[2] == 0x2F, bytes[3] == 0xFD else {
            return 0
        }
        let descriptor = bytes[4]
        guard descriptor & 0x20 != 0 else {
            let base = UInt64(1) << (10 + UInt64(bytes[5] >> 3))
            return base + base / 8 * UInt64(bytes[5] & 7)
        }
        // A single segment: the window is the content, whose size stands behind the dictionary's id.
        let start = 5 + [0, 1, 2, 4][Int(descriptor & 3)]
        let width = 1 << Int(descriptor >> 6)
        guard start + width <= bytes.count else { return 0 }
        var size: UInt64 = width == 2 ? 256 : 0
        for index in 0..<width { size &+= UInt64(bytes[start + index]) << UInt64(8 * index) }
        return size
    }
}
