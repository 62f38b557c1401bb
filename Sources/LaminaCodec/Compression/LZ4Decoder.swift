// LZ4Decoder owns a liblz4 frame context and walks the frames of an lz4 file.

import CLZ4
import LaminaCore

/// Decodes LZ4 frames (`lz4_Frame_format.md`): any number of frames, skippable ones among
/// them, with checksums verified where present. Legacy frames are refused.
@safe
final class LZ4Decoder: Decoder, @unchecked Sendable {
    // SAFETY: created in init and freed in deinit; used by one thread at a time.
    private let context: OpaquePointer
    private var atFrameEnd = false

    init() throws(CodecError) {
        var created: OpaquePointer?
        // SAFETY: the library fills the local.
        let result = unsafe LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(result) == 0, let context = unsafe created else { throw .outOfMemory(.lz4) }
        unsafe self.context = context
    }

    deinit {
        // SAFETY: the context of init.
        unsafe LZ4F_freeDecompressionContext(context)
    }

    @unsafe
    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> DecoderStep {
        if unsafe atFrameEnd && input.isEmpty { return DecoderStep(consumed: 0, produced: 0) }
        var consumed = input.count
        var produced = output.count
        // SAFETY: the library reads and writes within the sizes given and updates them.
        let result = unsafe LZ4F_decompress(
            context, output.baseAddress, &produced, input.baseAddress, &consumed, nil)
        if LZ4F_isError(result) != 0 {
            let name = unsafe String(cString: LZ4F_getErrorName(result))
            if atFrameEnd && name == "ERROR_frameType_unknown" { throw .trailingGarbage(.lz4) }
            throw .corrupt(.lz4, name)
        }
        if consumed > 0 || produced > 0 { atFrameEnd = result == 0 }
        return DecoderStep(consumed: consumed, produced: produced)
    }

    var isAtBoundary: Bool { atFrameEnd }

    func finish() throws(CodecError) {
        if !atFrameEnd { throw .truncated(.lz4) }
    }
}
