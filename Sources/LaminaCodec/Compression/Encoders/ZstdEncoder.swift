// ZstdEncoder owns a libzstd context that compresses one frame.

import CZstd
import LaminaCore

/// Encodes one Zstandard frame with a content checksum. The library's jobs do not depend on the number of
/// its workers, so that there is always at least one.
@safe
final class ZstdEncoder: Encoder {
    // SAFETY: created in init and freed in deinit; used by one thread at a time.
    private let context: OpaquePointer
    private var buffer: [UInt8]

    init(level: Int32, threads: Int) throws(CodecError) {
        guard let context = unsafe ZSTD_createCCtx() else { throw .outOfMemory(.zstd) }
        unsafe self.context = context
        buffer = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
        // SAFETY: a live context; the library bounds the values. One without threads refuses workers.
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, Int32(clamping: max(threads, 1)))
    }

    deinit {
        // SAFETY: the context of init.
        unsafe ZSTD_freeCCtx(context)
    }

    func encode(_ bytes: Span<UInt8>, _ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        var position = 0
        while position < bytes.count { _ = try step(bytes, &position, ZSTD_e_continue, output) }
    }

    func finish(_ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        let empty: [UInt8] = []
        var position = 0
        while try step(empty.span, &position, ZSTD_e_end, output) > 0 {}
    }

    /// What is left to be written, as the library guesses it; 0 when all was.
    private func step(
        _ bytes: Span<UInt8>, _ position: inout Int, _ directive: ZSTD_EndDirective,
        _ output: (RawSpan) throws(CodecError) -> Void
    ) throws(CodecError) -> Int {
        var produced = 0
        let start = position
        var consumed = position
        // SAFETY: the library reads and writes within the sizes given.
        let left = unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.withUnsafeMutableBytes { target in
                var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: start)
                var result = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                let left = unsafe ZSTD_compressStream2(context, &result, &input, directive)
                produced = unsafe result.pos
                consumed = unsafe input.pos
                return left
            }
        }
        if ZSTD_isError(left) != 0 {
            throw .encoding(.zstd, unsafe String(cString: ZSTD_getErrorName(left)))
        }
        position = consumed
        if produced > 0 { try output(Array(buffer[..<produced]).raw) }
        return left
    }
}
