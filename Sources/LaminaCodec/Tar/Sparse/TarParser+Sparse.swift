// The parser's way through a sparse file: its entry comes when the map of its holes is known.

import LaminaCore

/// An entry whose map is being read.
struct WaitingEntry: Sendable {
    var entry: TarEntry
    var reader: SparseMapReader
    /// Whether the blocks of the map are a part of the payload.
    var mapIsPayload: Bool
    /// Bytes of the map's blocks so far.
    var mapSize = 0
}

extension TarParser {
    /// Opens a sparse file: at once when its map is known.
    mutating func startSparse(_ entry: TarEntry, _ sparse: PendingSparse) throws(CodecError) -> TarEvent? {
        switch sparse {
        case .known(let map): return try openSparse(entry, map)
        case .follows(let reader):
            waiting = WaitingEntry(entry: entry, reader: reader, mapIsPayload: false)
        case .leads(let reader):
            waiting = WaitingEntry(entry: entry, reader: reader, mapIsPayload: true)
        }
        state = .sparseMap(remaining: entry.size)
        return nil
    }

    /// Reads a block of a map; the entry, behind the last.
    mutating func readSparseMap(
        _ chunk: Span<UInt8>, _ cursor: inout Int, _ remaining: UInt64
    ) throws(CodecError) -> TarEvent? {
        try readBlock(chunk, &cursor) { (parser, block) throws(CodecError) in
            try parser.takeMapBlock(block, remaining)
        }
    }

    private mutating func takeMapBlock(
        _ block: Span<UInt8>, _ remaining: UInt64
    ) throws(CodecError) -> TarEvent? {
        guard var waiting else { return nil }
        var left = remaining
        if waiting.mapIsPayload {
            guard remaining >= UInt64(block.count) else { throw fault(.badSparseMap) }
            left -= UInt64(block.count)
        }
        waiting.mapSize += block.count
        if waiting.mapSize > limits.extendedHeaderSize { throw fault(.sparseMapTooLarge) }
        let map: SparseMap
        do throws(TarFault) {
            guard try waiting.reader.take(block) else {
                self.waiting = waiting
                state = .sparseMap(remaining: left)
                return nil
            }
            map = try waiting.reader.map()
        } catch {
            throw fault(error)
        }
        self.waiting = nil
        waiting.entry.size = left
        return try openSparse(waiting.entry, map)
    }

    /// The payload must be just what the map has places for.
    private mutating func openSparse(_ entry: TarEntry, _ map: SparseMap) throws(CodecError) -> TarEvent {
        guard map.dataSize == entry.size else { throw fault(.badSparseMap) }
        let (total, overflow) = sparseSize.addingReportingOverflow(map.size)
        guard !overflow, total <= limits.sparseSize else {
            throw .layer(.sparseTooLarge(entry.path, limit: limits.sparseSize))
        }
        sparseSize = total
        var entry = entry
        entry.sparse = map
        state = .payload(remaining: entry.size, padding: Self.padding(behind: entry.size))
        return .entry(entry)
    }
}
