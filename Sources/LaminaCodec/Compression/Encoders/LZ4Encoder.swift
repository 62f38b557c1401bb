// LZ4Encoder owns a liblz4 frame context that compresses one frame.

import CLZ4
import LaminaCore

/// Encodes one LZ4 frame (`lz4_Frame_format.md`) with a content checksum.
@safe
final class LZ4Encoder: Encoder {
    // SAFETY: created in init and freed in deinit; used by one thread at a time.
    private let context: OpaquePointer
    private var preferences = LZ4F_preferences_t()
    private var buffer: [UInt8]
    private var hasBegun = false
    /// Bytes that the library takes at once.
    private static let piece = 1 << 18

    init(level: Int32) throws(CodecError) {
        var created: OpaquePointer?
        // SAFETY: the library fills the local.
        let result = unsafe LZ4F_createCompressionContext(&created, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(result) == 0, let context = unsafe created else { throw .outOfMemory(.lz4) }
        unsafe self.context = context
        preferences.compressionLevel = level
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.frameInfo.blockSizeID = LZ4F_max1MB
        // SAFETY: reads the local.
        let bound = unsafe LZ4F_compressBound(Self.piece, &preferences)
        buffer = [UInt8](repeating: 0, count: bound + 1024)
    }

    deinit {
        // SAFETY: the context of init.
        unsafe LZ4F_freeCompressionContext(context)
    }

    func encode(_ bytes: Span<UInt8>, _ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        try begin(output)
        var start = 0
        while start < bytes.count {
            let end = min(start + Self.piece, bytes.count)
            let part = bytes.extracting(start..<end)
            // SAFETY: the library reads the part and writes within the buffer.
            let count = unsafe part.withUnsafeBytes { source in
                unsafe LZ4F_compressUpdate(
                    context, &buffer, buffer.count, source.baseAddress, source.count, nil)
            }
            try give(count, output)
            start = end
        }
    }

    func finish(_ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        try begin(output)
        // SAFETY: the library writes within the buffer.
        try give(unsafe LZ4F_compressEnd(context, &buffer, buffer.count, nil), output)
    }

    private func begin(_ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        if hasBegun { return }
        hasBegun = true
        // SAFETY: the library writes within the buffer and reads the local.
        try give(unsafe LZ4F_compressBegin(context, &buffer, buffer.count, &preferences), output)
    }

    private func give(
        _ count: Int, _ output: (RawSpan) throws(CodecError) -> Void
    ) throws(CodecError) {
        if LZ4F_isError(count) != 0 {
            throw .encoding(.lz4, unsafe String(cString: LZ4F_getErrorName(count)))
        }
        if count > 0 { try output(Array(buffer[..<count]).raw) }
    }
}
