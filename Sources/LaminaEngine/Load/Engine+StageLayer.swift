// From a stream of a layer's bytes to a layer that is whole, with its index, and not yet in the store.

import Glibc
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem

extension Store {
    /// Ingests a layer and writes its index. `name` is for messages.
    func stage<Source: ByteSource & Sendable & ~Copyable>(
        _ source: consuming Source, expecting expectation: LayerExpectation, _ options: IngestOptions,
        named name: String
    ) throws(LaminaError) -> StagedLayer {
        var builder = LayerIndexBuilder(entryLimit: Int(clamping: options.limits.entries))
        let staged = try ingest(source, expectation, options, named: name, into: &builder)
        try Self.writeIndex(builder, of: staged, named: name)
        return staged
    }

    private func ingest<Source: ByteSource & Sendable & ~Copyable>(
        _ source: consuming Source, _ expectation: LayerExpectation, _ options: IngestOptions,
        named name: String, into builder: inout LayerIndexBuilder
    ) throws(LaminaError) -> StagedLayer {
        do throws(StoreError) {
            return try ingestLayer(from: source, expecting: expectation, options: options, into: &builder)
        } catch {
            throw Self.refusal(error, options, named: name)
        }
    }

    private static func writeIndex(
        _ builder: consuming LayerIndexBuilder, of staged: borrowing StagedLayer, named name: String
    ) throws(LaminaError) {
        let file = try Engine.system(ByteString(name)) { () throws(Errno) in
            try staged.directory.open(StorePath.index, O_RDWR | O_CREAT | O_EXCL, permissions: 0o444)
        }
        let summary = staged.summary
        do throws(IndexError) {
            try builder.finish(diffID: summary.diffID, streamSize: summary.streamSize, to: file)
        } catch {
            throw LaminaError(error, about: name)
        }
        try Engine.seal(file, name)
    }

    private static func refusal(
        _ error: StoreError, _ options: IngestOptions, named name: String
    ) -> LaminaError {
        guard case .layer(.tar(.extendedHeaderTooLarge, let offset)) = error else {
            return LaminaError(error, about: name)
        }
        return LaminaError(
            .badInput, name,
            "an extended header at byte \(offset) has more than \(options.limits.extendedHeaderSize) bytes")
    }
}

extension LayerRecord {
    /// The row of a layer that was just ingested.
    init(_ summary: LayerSummary) {
        self.init(
            diffID: summary.diffID, tarSize: Int64(clamping: summary.tarSize),
            streamSize: Int64(clamping: summary.streamSize), entryCount: Int64(clamping: summary.entryCount),
            blobs: [LayerBlobRecord(digest: summary.blobDigest, size: Int64(clamping: summary.blobSize))])
    }
}
