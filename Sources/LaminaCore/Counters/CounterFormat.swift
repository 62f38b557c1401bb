// CounterFormat owns where each number of a mount's counters stands (docs/FORMAT-sandbox.md): for the
// server that counts, and for those who read along. A change of it is a new version.

/// The layout of a counter file: a header, then blocks of rows of 8-byte words.
///
/// Each worker thread of the server writes one block and nobody else does, so that counting takes no
/// lock and shares no cache line; a reader adds the blocks up. Each number is whole, but two of them
/// may be some requests apart.
public enum CounterFormat {
    public static let magic: [UInt8] = Array("LAMSTAT1".utf8)
    public static let version: UInt32 = 1
    /// Bytes before the first block.
    public static let headerSize = 4096
    /// The last block belongs to all threads that came when the others were taken.
    public static let blockCount = 64
    /// Row 0 is what is no request; row n is FUSE's opcode n; the last is all greater ones.
    public static let rowCount = 64
    public static let rowWords = 32
    public static let blockWords = rowCount * rowWords
    public static let blockSize = blockWords * 8
    public static let fileSize = headerSize + blockCount * blockSize

    /// Words of a request's row: answered or not, answers that were errors, nanoseconds of all
    /// answered ones, bytes.
    public enum Row {
        public static let requests = 0
        public static let errors = 1
        public static let nanoseconds = 2
        public static let bytes = 3
        public static let buckets = 4
    }

    /// Words of row 0: which request the thread works on, by its row; since when, in nanoseconds of
    /// `CLOCK_MONOTONIC`; how long it was, in bytes; and how many it has answered. From `events` on,
    /// `CounterEvent`s.
    public enum Thread {
        public static let row = 0
        public static let since = 1
        public static let requestSize = 2
        public static let answers = 3
        public static let events = 8
    }

    /// Answers by their time: bucket 0 took less than a microsecond, bucket n less than 2^n, the last
    /// one anything longer.
    public static let bucketCount = rowWords - Row.buckets

    /// The row of an opcode.
    @inline(__always)
    public static func row(ofOpcode opcode: UInt32) -> Int {
        // No request is 0.
        opcode == 0 || opcode >= UInt32(rowCount) ? rowCount &- 1 : Int(opcode)
    }

    /// The bucket of an answer that took this long.
    @inline(__always)
    public static func bucket(nanoseconds: UInt64) -> Int {
        min(64 &- (nanoseconds / 1000).leadingZeroBitCount, bucketCount &- 1)
    }

    /// The first bytes of a file; the rest of the header is 0.
    /// - Parameters:
    ///   - process: the server, as it sees itself.
    ///   - started: seconds since the epoch.
    public static func header(process: Int32, started: Int64) -> [UInt8] {
        var bytes = magic
        func append(_ value: UInt64, _ count: Int) {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        for number in [Int(version), headerSize, blockCount, rowCount, rowWords] {
            append(UInt64(number), 4)
        }
        append(UInt64(UInt32(bitPattern: process)), 4)
        append(UInt64(bitPattern: started), 8)
        return bytes
    }
}

/// Something counted that is no request. The raw value is its word behind `Thread.events`.
public enum CounterEvent: Int, Sendable, CaseIterable {
    /// A file was opened whose bytes the kernel reads and writes by itself.
    case passthroughOpen = 0
    /// A lower file's bytes were copied or shared into the sandbox.
    case copiedWhole = 1
    /// A lower file got a block map: from then on it is copied block by block.
    case copiedByBlock = 2
    /// A lower node was copied without bytes: its attributes or its name changed, or it has none.
    case copiedMetadata = 3
}
