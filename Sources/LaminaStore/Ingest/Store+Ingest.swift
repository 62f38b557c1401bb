// The one pass from a compressed layer to its stored form.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

extension Store {
    /// Bytes of a chunk of the tar between the two halves of an ingest.
    static let chunkSize = 1 << 20
    /// Chunks on their way between the two halves.
    static let chunkCount = 4

    /// Reads a layer once and stages its blob, stream, objects and splits, calling `sink`
    /// for each entry in the order of the tar. Verifies everything `expected` says. Nothing
    /// is visible before `StagedLayer.publish()`; an error leaves no trace.
    ///
    /// O(bytes) time; memory: 4 MiB of chunks, the codec's state (with
    /// zstd its window, up to 128 MiB), about 150 bytes an object; where several threads decode,
    /// 32 MiB and five more states of the codec.
    public func ingestLayer<Source: ByteSource & Sendable & ~Copyable, Sink: LayerEntrySink & ~Copyable>(
        from source: consuming Source, expecting expected: LayerExpectation = LayerExpectation(),
        options: IngestOptions = IngestOptions(), into sink: inout Sink
    ) throws(StoreError) -> StagedLayer {
        let staging = try IngestDirectory.make(in: self)
        let directory = try staging.makeLayerDirectory()
        let progress = IngestProgress(options.progress)
        var splitter = LayerSplitter(
            options.limits, progress, stream: try staging.create(StorePath.stream, in: directory))
        let keeps = options.keepBlob && expected.compression != Compression.none
        let blob = keeps ? try staging.create(StagedLayer.blobName, in: staging.descriptor) : nil
        let result = try pump(
            source, declared: expected.compression, blob: blob, options, progress, &splitter, staging,
            into: &sink)
        let (splits, entryCount) = try splitter.finish(blob: result.digest)
        let summary = LayerSummary(
            compression: result.compression, blobDigest: result.digest,
            blobSize: result.size,
            blobKept: keeps && result.compression != .none, diffID: splits.diffID, tarSize: splits.tarSize,
            streamSize: splits.streamSize, entryCount: entryCount, objects: splitter.objects.all,
            newObjectCount: splitter.objects.staged.count, newObjectSize: splitter.objects.stagedSize)
        try expected.verify(summary)
        try staging.write(splits, in: directory)
        return StagedLayer(
            summary, directory: directory, staging: staging, newObjects: splitter.objects.staged)
    }

    /// Runs the two halves side by side: the first on a thread of its own, the second here.
    private func pump<Source: ByteSource & Sendable & ~Copyable>(
        _ source: consuming Source, declared: Compression?, blob: consuming Descriptor?,
        _ options: IngestOptions, _ progress: IngestProgress,
        _ splitter: inout LayerSplitter, _ staging: borrowing IngestDirectory,
        into sink: inout some LayerEntrySink & ~Copyable
    ) throws(StoreError) -> BlobResult {
        let ring = ChunkRing(count: Self.chunkCount, chunkSize: Self.chunkSize)
        let input = try LayerSource.open(
            source, declared: declared, blob: blob, threads: options.decodingThreads,
            limits: options.limits, progress: progress)
        if input.compression == .none { splitter.leaveDiffIDToBlob() }
        let worker = try startProducer(of: ring, from: input)
        let result: Result<BlobResult, StoreError>
        do throws(StoreError) {
            result = .success(
                try ring.consume { (chunk) throws(StoreError) in
                    try splitter.consume(chunk, staging, into: &sink)
                })
        } catch {
            result = .failure(error)
        }
        // Nothing of the layer may be in use when its directory is removed.
        worker.join()
        return try result.get()
    }

    private func startProducer<Source: ByteSource & Sendable & ~Copyable>(
        of ring: ChunkRing, from input: consuming LayerSource<Source>
    ) throws(StoreError) -> Worker {
        do throws(Errno) {
            return try Worker(input) { ring.produce(from: $0) }
        } catch {
            throw .system("start a thread", error)
        }
    }
}

extension LayerExpectation {
    func verify(_ summary: LayerSummary) throws(StoreError) {
        if let blobSize, blobSize != summary.blobSize {
            throw .sizeMismatch(.blob, expected: blobSize, found: summary.blobSize)
        }
        if let blobDigest, blobDigest != summary.blobDigest {
            throw .digestMismatch(.blob, expected: blobDigest, found: summary.blobDigest)
        }
        if let diffID, diffID != summary.diffID {
            throw .digestMismatch(.layer, expected: diffID, found: summary.diffID)
        }
    }
}
