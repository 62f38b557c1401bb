// CounterSnapshot owns the reading of a counter file: all its blocks added up. Nothing in the file is
// believed: sizes are those of this version or it is refused, and sums may wrap but never trap.

/// Why bytes are no counter file.
public enum CounterFileError: Error, Hashable, Sendable, CustomStringConvertible {
    case notCounters
    case unsupportedVersion(UInt32)
    /// It does not have the layout that its version says, or not the length.
    case layout

    public var description: String {
        switch self {
        case .notCounters: "not a file of counters"
        case .unsupportedVersion(let version):
            "counters of version \(version), which this program does not know"
        case .layout: "damaged counters: sizes do not fit together"
        }
    }
}

/// A mount's counters at one moment.
public struct CounterSnapshot: Sendable, Equatable {
    /// All requests of one kind.
    public struct Operation: Sendable, Equatable {
        /// FUSE's number for it; `CounterFormat.rowCount - 1` for all that have a greater one.
        public var opcode: Int
        /// Answered, in work, and those that have no answer.
        public var requests: UInt64 = 0
        public var errors: UInt64 = 0
        /// Nanoseconds that the answered ones took, from being read to being answered.
        public var nanoseconds: UInt64 = 0
        /// Of a write what was written, of others what was sent.
        public var bytes: UInt64 = 0
        /// The answered ones by their time (`CounterFormat.bucket`).
        public var buckets = [UInt64](repeating: 0, count: CounterFormat.bucketCount)

        public init(opcode: Int) {
            self.opcode = opcode
        }

        public var answered: UInt64 { buckets.reduce(0, &+) }
    }

    /// A request that has no answer yet.
    public struct Work: Sendable, Equatable {
        public var opcode: Int
        /// Nanoseconds of `CLOCK_MONOTONIC`.
        public var since: UInt64
    }

    /// The server, as it sees itself.
    public var process: Int32
    /// When counting began, in seconds since the epoch.
    public var started: Int64
    /// Kinds that came at least once, by opcode.
    public var operations: [Operation] = []
    public var work: [Work] = []
    private var events = [UInt64](repeating: 0, count: CounterEvent.allCases.count)

    /// Reads a whole file. O(its size).
    public init(_ bytes: RawSpan) throws(CounterFileError) {
        let magic = CounterFormat.magic
        guard bytes.byteCount >= 40, bytes.extracting(0..<magic.count).isEqual(to: magic.raw) else {
            throw .notCounters
        }
        func number(at offset: Int) -> UInt32 {
            // SAFETY: within the 40 bytes just checked; any bits are a number.
            UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        let version = number(at: 8)
        guard version == CounterFormat.version else { throw .unsupportedVersion(version) }
        let sizes = [
            CounterFormat.headerSize, CounterFormat.blockCount, CounterFormat.rowCount,
            CounterFormat.rowWords,
        ]
        for (index, size) in sizes.enumerated() where number(at: 12 + 4 * index) != UInt32(size) {
            throw .layout
        }
        guard bytes.byteCount == CounterFormat.fileSize else { throw .layout }
        process = Int32(bitPattern: number(at: 28))
        started = Int64(bitPattern: UInt64(number(at: 32)) | UInt64(number(at: 36)) << 32)
        var operations = (0..<CounterFormat.rowCount).map { Operation(opcode: $0) }
        for block in 0..<CounterFormat.blockCount {
            add(Block(bytes: bytes, number: block), to: &operations)
        }
        self.operations = operations.filter { $0.requests > 0 }
    }

    private mutating func add(_ block: borrowing Block, to operations: inout [Operation]) {
        for event in CounterEvent.allCases {
            events[event.rawValue] &+= block.word(0, CounterFormat.Thread.events + event.rawValue)
        }
        let row = block.word(0, CounterFormat.Thread.row)
        if row > 0, row < UInt64(CounterFormat.rowCount) {
            work.append(Work(opcode: Int(row), since: block.word(0, CounterFormat.Thread.since)))
        }
        for row in 1..<CounterFormat.rowCount {
            let requests = block.word(row, CounterFormat.Row.requests)
            if requests == 0 { continue }
            operations[row].requests &+= requests
            operations[row].errors &+= block.word(row, CounterFormat.Row.errors)
            operations[row].nanoseconds &+= block.word(row, CounterFormat.Row.nanoseconds)
            operations[row].bytes &+= block.word(row, CounterFormat.Row.bytes)
            for bucket in 0..<CounterFormat.bucketCount {
                operations[row].buckets[bucket] &+= block.word(row, CounterFormat.Row.buckets + bucket)
            }
        }
    }

    /// How often something happened that is no request.
    public func count(of event: CounterEvent) -> UInt64 { events[event.rawValue] }
}

/// One block of a file whose length was checked.
private struct Block: ~Escapable {
    let bytes: RawSpan
    let start: Int

    @_lifetime(copy bytes)
    init(bytes: RawSpan, number: Int) {
        self.bytes = bytes
        start = CounterFormat.headerSize + number * CounterFormat.blockSize
    }

    /// Row and word are below those of the format.
    func word(_ row: Int, _ word: Int) -> UInt64 {
        let offset = start + (row * CounterFormat.rowWords + word) * 8
        // SAFETY: the file has all blocks; any bits are a number.
        return UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension CounterSnapshot {
    /// The requests of one kind, none as zeros.
    public func operation(_ opcode: Int) -> Operation {
        operations.first { $0.opcode == opcode } ?? Operation(opcode: opcode)
    }

    /// All requests together.
    public var total: Operation {
        operations.reduce(into: Operation(opcode: 0)) { sum, operation in
            sum.requests &+= operation.requests
            sum.errors &+= operation.errors
            sum.nanoseconds &+= operation.nanoseconds
            sum.bytes &+= operation.bytes
            for index in sum.buckets.indices { sum.buckets[index] &+= operation.buckets[index] }
        }
    }

    public var bytesRead: UInt64 { operation(FuseOpcode.read).bytes }
    public var bytesWritten: UInt64 { operation(FuseOpcode.write).bytes }

    /// Files that were opened, or made and opened, with the server reading and writing their bytes.
    public var otherOpens: UInt64 {
        let opens = [FuseOpcode.open, FuseOpcode.create, FuseOpcode.temporary].reduce(UInt64(0)) {
            sum, opcode in
            let operation = operation(opcode)
            return sum &+ operation.answered &- min(operation.errors, operation.answered)
        }
        return opens &- min(opens, count(of: .passthroughOpen))
    }
}
