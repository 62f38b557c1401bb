// Compressing a layer of the store anew, from its tar.

import Foundation
import LaminaCodec
import LaminaCore
import LaminaStore

extension Engine {
    /// The compressed tar of a layer, as a blob that is not in the store yet. On all cores; the bytes are the same on
    /// any machine. O(bytes).
    ///
    /// Throws `badInput` when the store's tar is not what the diffID says.
    func compress(
        _ diffID: Digest, _ compression: LayerCompression, _ cancellation: Cancellation, named name: String
    ) throws(LaminaError) -> StagedBlob {
        var blob = try Self.storing(name) { () throws(StoreError) in try store.stageBlob() }
        var source = HashedLayer(
            try Self.storing(name) { () throws(StoreError) in try LayerReader(store, diffID) })
        let settings = EncoderSettings(
            compression.compression, level: compression.level,
            threads: ProcessInfo.processInfo.activeProcessorCount)
        do throws(CodecError) {
            try settings.encode(&source) { (bytes) throws(CodecError) in
                if cancellation.isCancelled { throw .cancelled }
                do throws(Errno) { try blob.write(bytes) } catch { throw .write(error) }
            }
        } catch {
            throw LaminaError(error, about: name)
        }
        let found = source.finish()
        guard found == diffID else {
            throw LaminaError(.badInput, name, "digest does not match: got \(found)")
        }
        return blob
    }
}

/// A layer's tar, hashed in passing.
private struct HashedLayer: ~Copyable, ByteSource {
    private var reader: LayerReader
    private var hash = SHA256()

    init(_ reader: consuming LayerReader) {
        self.reader = reader
    }

    @unsafe
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        let count = try unsafe reader.read(into: buffer)
        // SAFETY: the bytes just read, in the caller's buffer, which nobody else writes.
        let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        hash.update(bytes)
        return count
    }

    mutating func finish() -> Digest { hash.finishAndReset() }
}
