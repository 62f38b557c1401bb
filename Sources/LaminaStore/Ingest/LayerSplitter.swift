// LayerSplitter owns the second half of an ingest: from chunks of the tar to stream,
// objects, splits and the entries that the sink gets.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// Hashes a tar, parses it and puts every byte of it into its place.
///
/// Invariant: between chunks, the stream file holds all bytes so far but those of objects
/// and of the padding behind them, so that payloads in the stream stay 512-aligned.
struct LayerSplitter: ~Copyable {
    private var parser: TarParser
    private var hash = SHA256()
    /// Where the bytes of the chunk start that are not hashed yet.
    private var hashed = 0
    private let stream: Descriptor
    private var streamWriteBehind = WriteBehind()
    private var streamSize: UInt64 = 0
    private var streamSeal = FileSeal()
    private var entry: TarEntry?
    private var data = FileData.empty
    private var entryCount: UInt64 = 0
    /// What is being split off.
    private var isObject = false
    /// The sparse file that the payload is expanded into; the payload itself stays in the stream.
    private var sparse: SparseObjectWriter?
    private var expanded: [Digest] = []
    private let progress: IngestProgress
    private var paddingLeft = 0
    private var padding: [UInt8] = []
    /// Where the bytes of the chunk start that still have to go to the stream.
    private var runStart = 0
    var objects = ObjectWriter()
    private(set) var records: [Split] = []

    init(_ limits: IngestLimits, _ progress: IngestProgress, stream: consuming Descriptor) {
        parser = TarParser(
            limits: TarLimits(
                entries: limits.entries, extendedHeaderSize: limits.extendedHeaderSize,
                sparseSize: limits.sparseSize, metadataSize: limits.metadataSize))
        self.progress = progress
        self.stream = stream
    }

    /// Takes the next chunk of the tar. O(bytes).
    mutating func consume(
        _ chunk: Span<UInt8>, _ staging: borrowing IngestDirectory,
        into sink: inout some LayerEntrySink & ~Copyable
    ) throws(StoreError) {
        runStart = 0
        hashed = 0
        takePadding(chunk)
        var cursor = 0
        while let event = try parsed(chunk, &cursor) {
            switch event {
            case .entry(let entry):
                try begin(entry, chunk, at: cursor, staging)
            case .payload(let range) where isObject:
                try takeObject(chunk, range, staging)
            case .payload(let range) where entry?.alternateStream != nil:
                for index in range { entry?.alternateStream?.bytes.append(chunk[index]) }
            case .payload(let range):
                try sparse?.write(chunk.extracting(range).raw, progress)
            case .endOfEntry:
                try endSparse(staging)
                try end(into: &sink)
                takePadding(chunk)
            }
        }
        hashLayer(chunk, upTo: chunk.count)
        try flush(chunk, upTo: chunk.count)
    }

    private mutating func hashLayer(_ chunk: Span<UInt8>, upTo end: Int) {
        hash.update(chunk.extracting(hashed..<end).raw)
        hashed = end
    }

    private mutating func parsed(
        _ chunk: Span<UInt8>, _ cursor: inout Int
    ) throws(StoreError) -> TarEvent? {
        do throws(CodecError) {
            return try parser.next(in: chunk, at: &cursor)
        } catch {
            throw .layer(error)
        }
    }

    private mutating func begin(
        _ entry: TarEntry, _ chunk: Span<UInt8>, at cursor: Int, _ staging: borrowing IngestDirectory
    ) throws(StoreError) {
        isObject = entry.size >= UInt64(Limits.objectThreshold) && entry.sparse == nil
        if let map = entry.sparse {
            guard map.size > 0 else { return self.entry = entry }
            sparse = try doing("write a sparse file") { () throws(Errno) in
                try SparseObjectWriter(map, staging)
            }
        } else if isObject {
            try flush(chunk, upTo: cursor)
            objects.begin(size: entry.size)
        } else if entry.size > 0 {
            data = .stream(offset: streamSize + UInt64(cursor - runStart), length: entry.size)
        }
        self.entry = entry
    }

    private mutating func takeObject(
        _ chunk: Span<UInt8>, _ range: Range<Int>, _ staging: borrowing IngestDirectory
    ) throws(StoreError) {
        runStart = range.upperBound
        hashLayer(chunk, upTo: range.lowerBound)
        hashed = range.upperBound
        let digest: Digest?
        do throws(Errno) {
            digest = try objects.write(chunk.extracting(range).raw, hashing: &hash, staging)
        } catch {
            throw .system("write an object", error)
        }
        guard let digest, let size = entry?.size else { return }
        data = .object(digest, length: size)
        records.append(Split(offset: parser.offset - size, length: size, digest: digest))
        paddingLeft = Int((512 - size % 512) % 512)
    }

    /// Makes an object of the sparse file that ends here.
    private mutating func endSparse(_ staging: borrowing IngestDirectory) throws(StoreError) {
        guard let size = entry?.size, let map = entry?.sparse, var writer = sparse.take() else { return }
        let digest = try writer.finish(progress)
        let known = objects.all.count
        try doing("write a sparse file") { () throws(Errno) in
            try objects.adopt(SparseObjectWriter.temporaryName, digest, size: size, staging)
        }
        // What stands in the tar as a plain payload too is among the splits.
        if objects.all.count > known { expanded.append(digest) }
        data = .object(digest, length: map.size)
    }

    /// Takes the padding behind an object out of the chunk, as far as it lies there.
    private mutating func takePadding(_ chunk: Span<UInt8>) {
        guard paddingLeft > 0 else { return }
        let end = min(runStart + paddingLeft, chunk.count)
        for index in runStart..<end { padding.append(chunk[index]) }
        paddingLeft -= end - runStart
        runStart = end
        if paddingLeft == 0 { endPadding() }
    }

    private mutating func endPadding() {
        if padding.contains(where: { $0 != 0 }), let last = records.indices.last {
            records[last].padding = padding
        }
        padding.removeAll(keepingCapacity: true)
    }

    private mutating func end(into sink: inout some LayerEntrySink & ~Copyable) throws(StoreError) {
        guard let entry = entry.take() else { return }
        do throws(LayerError) {
            try sink.add(entry, data: data)
        } catch {
            throw .layer(.layer(error))
        }
        entryCount += 1
        data = .empty
        isObject = false
    }

    /// Writes the chunk's bytes that have gathered for the stream.
    private mutating func flush(_ chunk: Span<UInt8>, upTo end: Int) throws(StoreError) {
        guard end > runStart else { return }
        do throws(Errno) {
            let bytes = chunk.extracting(runStart..<end).raw
            streamSeal.update(bytes)
            try stream.writeAll(bytes)
        } catch {
            throw .system("write a layer's stream", error)
        }
        if let range = streamWriteBehind.wrote(end - runStart) { stream.startWriteback(range) }
        streamSize += UInt64(end - runStart)
        runStart = end
    }

    /// Called behind the last chunk: what the tar was.
    mutating func finish() throws(StoreError) -> (splits: Splits, entryCount: UInt64) {
        do throws(CodecError) {
            try parser.finish()
        } catch {
            throw .layer(error)
        }
        endPadding()
        try doing("write a layer's stream") { () throws(Errno) in try streamSeal.attach(to: stream) }
        let splits = Splits(
            diffID: hash.finishAndReset(), tarSize: parser.offset, streamSize: streamSize,
            records: records,
            expanded: expanded)
        return (splits, entryCount)
    }
}
