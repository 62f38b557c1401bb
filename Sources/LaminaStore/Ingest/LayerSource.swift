// LayerSource owns the first half of an ingest: from the blob to chunks of its tar.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// What the first half of an ingest found when it came to the blob's end.
struct BlobResult: Sendable {
    var compression: Compression
    /// For an uncompressed blob the diffID.
    var digest: Digest
    var size: UInt64
}

/// Reads, hashes and keeps a blob, decompresses it and cuts the tar into full chunks.
struct LayerSource<Upstream: ByteSource & ~Copyable>: ~Copyable {
    private var source: DecompressingSource<BlobTee<Upstream>>
    private let limits: IngestLimits
    private let progress: IngestProgress
    private var tarSize: UInt64 = 0

    /// Reads the first bytes of `upstream`.
    static func open(
        _ upstream: consuming Upstream, declared: Compression?, blob: consuming Descriptor?,
        threads: Int, limits: IngestLimits, progress: IngestProgress
    ) throws(StoreError) -> Self {
        do throws(CodecError) {
            return try Self(
                upstream, declared: declared, blob: blob, threads: threads, limits: limits, progress: progress
            )
        } catch {
            throw .layer(error)
        }
    }

    private init(
        _ upstream: consuming Upstream, declared: Compression?, blob: consuming Descriptor?,
        threads: Int, limits: IngestLimits, progress: IngestProgress
    ) throws(CodecError) {
        var source = try DecompressingSource(
            BlobTee(upstream, file: blob), declared: declared, threads: threads)
        if source.compression == .none { source.upstream.stopKeeping() }
        self.source = source
        self.limits = limits
        self.progress = progress
    }

    var compression: Compression { source.compression }

    /// `next` with the store's kind of error.
    mutating func fill(_ chunk: inout Buffer) throws(StoreError) -> Bool {
        do throws(CodecError) {
            return try next(&chunk)
        } catch {
            throw .layer(error)
        }
    }

    /// Fills `chunk`; false at the end of the tar, when the blob is at its end too.
    mutating func next(_ chunk: inout Buffer) throws(CodecError) -> Bool {
        guard try chunk.fill(from: &source) else { return false }
        tarSize += UInt64(chunk.count)
        if tarSize > limits.tarSize { throw .layer(.tooManyBytes(limit: limits.tarSize)) }
        if tarSize > limits.freeExpansion {
            let (most, overflow) = source.compressedCount.multipliedReportingOverflow(by: limits.expansion)
            if !overflow && tarSize > most { throw .layer(.expandsTooMuch(limit: limits.expansion)) }
        }
        if !progress.report(source.upstream.count) { throw .cancelled }
        return true
    }

    consuming func finish() -> BlobResult {
        let compression = source.compression
        var tee = source.release()
        let size = tee.count
        return BlobResult(compression: compression, digest: tee.finish(), size: size)
    }
}

extension LayerSource: Sendable where Upstream: Sendable & ~Copyable {}
