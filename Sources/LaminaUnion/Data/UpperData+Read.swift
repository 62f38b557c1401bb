// Reading a file whose bytes are in two places.

import Glibc
import LaminaCore
import LaminaSystem

extension UpperData {
    /// A run of bytes that one file holds.
    enum Piece: Sendable {
        case lower(LowerContent, UInt64)
        case upper(UInt64)

        var count: UInt64 {
            switch self {
            case .lower(_, let count), .upper(let count): count
            }
        }
    }

    /// Where the bytes at `offset` are, and for how many of `count` that holds. O(run / 64 blocks).
    func piece(at offset: UInt64, count: UInt64) throws(Errno) -> Piece {
        if isWhole { return .upper(count) }
        return try locked { (state) throws(Errno) in
            guard offset < state.limit else { return .upper(count) }
            let most = min(count, state.limit - offset)
            switch state.kind {
            case .whole: return .upper(count)
            case .lower: return .lower(try loadContent(&state), most)
            case .mapped:
                let run = try loadMap(&state).run(at: offset, below: offset + most)
                let length = run.end - offset
                return run.isOwn ? .upper(length) : .lower(try loadContent(&state), length)
            }
        }
    }

    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    @unsafe
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, upper file: borrowing Descriptor
    ) throws(Errno) -> Int {
        var filled = 0
        while filled < buffer.count {
            let (position, overflow) = offset.addingReportingOverflow(UInt64(filled))
            guard !overflow, let start = Int64(exactly: position) else { break }
            let piece = try piece(at: position, count: UInt64(buffer.count - filled))
            let end = filled + Int(clamping: piece.count)
            // SAFETY: a piece is never longer than the rest of the caller's buffer.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<end])
            let count: Int
            switch piece {
            case .lower(let content, _):
                count = try unsafe content.read(into: rest, at: position)
                guard count > 0 else { throw .ioError }
            case .upper:
                count = try unsafe file.read(into: rest, at: start)
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// `lseek(2)` for `SEEK_DATA` and `SEEK_HOLE`: the first place found in any piece.
    func seek(to offset: UInt64, whence: Int32, upper file: borrowing Descriptor) throws(Errno) -> UInt64 {
        let size = UInt64(clamping: try file.status().size)
        guard offset < size else { throw .noSuchAddressOrDevice }
        var position = offset
        while position < size {
            let piece = try piece(at: position, count: size - position)
            let end = position + piece.count
            do throws(Errno) {
                let found: UInt64
                switch piece {
                case .lower(let content, _): found = try content.seek(to: position, whence: whence)
                case .upper:
                    let found64 = try file.seek(to: Int64(clamping: position), whence: whence)
                    found = UInt64(clamping: found64)
                }
                if found < end { return found }
            } catch Errno.noSuchAddressOrDevice {
                // No data behind here in this file; the next piece is another's.
            }
            position = end
        }
        guard whence == SeekFlag.hole else { throw .noSuchAddressOrDevice }
        return size
    }
}

extension LowerContent {
    /// `lseek(2)` for `SEEK_DATA` and `SEEK_HOLE`. Objects may have holes; what is in a
    /// stream, never at its start, is all data.
    func seek(to position: UInt64, whence: Int32) throws(Errno) -> UInt64 {
        guard position < length else { throw .noSuchAddressOrDevice }
        if offset == 0, let position = Int64(exactly: position) {
            let found = try file.descriptor.seek(to: position, whence: whence)
            return min(UInt64(clamping: found), length)
        }
        return whence == SeekFlag.hole ? length : position
    }
}
