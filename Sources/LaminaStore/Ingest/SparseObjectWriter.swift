// SparseObjectWriter owns the sparse file that is just being expanded into an object.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// Writes a sparse file with its holes and hashes it as if there were none.
struct SparseObjectWriter: ~Copyable {
    private let map: SparseMap
    private let file: Descriptor
    private var hash = SHA256()
    /// The segment that the next byte of the payload belongs to, and its place in there.
    private var segment = 0
    private var done: UInt64 = 0
    /// Bytes of the file that are hashed.
    private var position: UInt64 = 0

    static let temporaryName: ByteString = "sparse"
    private static let zeros = [UInt8](repeating: 0, count: 1 << 18)

    init(_ map: SparseMap, _ staging: borrowing IngestDirectory) throws(Errno) {
        self.map = map
        file = try staging.create(Self.temporaryName)
    }

    /// Takes the next part of the payload; asks `progress` along holes whether to go on.
    mutating func write(_ part: RawSpan, _ progress: IngestProgress) throws(StoreError) {
        var start = 0
        while start < part.byteCount, segment < map.segments.count {
            let place = map.segments[segment]
            try hashHole(upTo: place.lowerBound, progress)
            let left = UInt64(place.count) - done
            let count = Int(min(UInt64(part.byteCount - start), left))
            let piece = part.extracting(start..<start + count)
            hash.update(piece)
            try doing("write a sparse file") { () throws(Errno) in
                try file.writeAll(piece, at: Int64(place.lowerBound + done))
            }
            position += UInt64(count)
            start += count
            done += UInt64(count)
            if done == UInt64(place.count) {
                segment += 1
                done = 0
            }
        }
    }

    /// Called behind the payload; gives the digest of the whole file.
    mutating func finish(_ progress: IngestProgress) throws(StoreError) -> Digest {
        try hashHole(upTo: map.size, progress)
        try doing("write a sparse file") { () throws(Errno) in try file.truncate(to: Int64(map.size)) }
        return hash.finishAndReset()
    }

    private mutating func hashHole(upTo end: UInt64, _ progress: IngestProgress) throws(StoreError) {
        while position < end {
            if position % (64 << 20) == 0, !progress.isWanted { throw .layer(.cancelled) }
            let boundary = (position / UInt64(Self.zeros.count) + 1) * UInt64(Self.zeros.count)
            let count = Int(min(end, boundary) - position)
            hash.update(Self.zeros.span.extracting(0..<count).raw)
            position += UInt64(count)
        }
    }
}
