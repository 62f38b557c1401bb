// ZstdDecoder owns a libzstd context and walks the frames of a zstd file.

import CZstd
import LaminaCore

/// Decodes Zstandard (RFC 8878): any number of frames, skippable ones among them, with
/// content checksums verified where present and the window bounded.
@safe
final class ZstdDecoder: Decoder, @unchecked Sendable {
    // SAFETY: created in init and freed in deinit; used by one thread at a time.
    private let context: OpaquePointer
    private var atFrameEnd = false

    /// `windowLog` is the base-2 logarithm of the largest window accepted.
    init(windowLog: Int32) throws(CodecError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw .outOfMemory(.zstd) }
        unsafe self.context = context
        // SAFETY: a live context; the library checks the value.
        unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog)
    }

    deinit {
        // SAFETY: the context of init.
        unsafe ZSTD_freeDCtx(context)
    }

    @unsafe
    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> DecoderStep {
        if unsafe atFrameEnd && input.isEmpty { return DecoderStep(consumed: 0, produced: 0) }
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        // SAFETY: the library reads and writes within the sizes just set.
        let result = unsafe ZSTD_decompressStream(context, &target, &source)
        if ZSTD_isError(result) != 0 {
            let garbage = atFrameEnd && ZSTD_getErrorCode(result) == ZSTD_error_prefix_unknown
            if garbage { throw .trailingGarbage(.zstd) }
            throw .corrupt(.zstd, unsafe String(cString: ZSTD_getErrorName(result)))
        }
        if unsafe source.pos > 0 || target.pos > 0 { atFrameEnd = result == 0 }
        return DecoderStep(consumed: unsafe source.pos, produced: unsafe target.pos)
    }

    var isAtBoundary: Bool { atFrameEnd }

    func finish() throws(CodecError) {
        if !atFrameEnd { throw .truncated(.zstd) }
    }
}
