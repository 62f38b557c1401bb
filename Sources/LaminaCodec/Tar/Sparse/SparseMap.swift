// SparseMap says where the bytes of a sparse member belong. Invariant: the segments are
// not empty, ascend, do not overlap and lie within the size.

import LaminaCore

/// The data of a sparse file; all else in it is holes, which read as zeros.
public struct SparseMap: Sendable, Hashable {
    /// Bytes of the file with its holes.
    public let size: UInt64
    /// Where the payload's bytes belong, in the order in which they come.
    public let segments: [Range<UInt64>]

    /// Bytes of all segments together, which is what the tar holds.
    public var dataSize: UInt64 {
        segments.reduce(0) { $0 + UInt64($1.count) }
    }

    /// Takes segments that are not empty, ascend, do not overlap and end within `size`; nil otherwise.
    public init?(size: UInt64, segments: [Range<UInt64>]) {
        var end: UInt64 = 0
        for segment in segments {
            guard !segment.isEmpty, segment.lowerBound >= end else { return nil }
            end = segment.upperBound
        }
        guard end <= size else { return nil }
        self.size = size
        self.segments = segments
    }

    /// Takes offsets and lengths by turns, as all dialects have them. Segments without a
    /// byte, by which some writers mark the end, are left out. O(numbers).
    init(size: Int64, numbers: [Int64]) throws(TarFault) {
        guard let size = UInt64(exactly: size), numbers.count % 2 == 0 else { throw .badSparseMap }
        var segments: [Range<UInt64>] = []
        segments.reserveCapacity(numbers.count / 2)
        var end: UInt64 = 0
        for index in stride(from: 0, to: numbers.count, by: 2) {
            guard let start = UInt64(exactly: numbers[index]),
                let length = UInt64(exactly: numbers[index + 1])
            else { throw .badSparseMap }
            // Both are below 2^63.
            guard start >= end, start + length <= size else { throw .badSparseMap }
            end = start + length
            if length > 0 { segments.append(start..<end) }
        }
        self.size = size
        self.segments = segments
    }
}
