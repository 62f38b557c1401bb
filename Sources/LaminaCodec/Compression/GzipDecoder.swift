// GzipDecoder owns an ISA-L inflate state and walks the members of a gzip file.

import CISAL
import LaminaCore

/// Decodes gzip (RFC 1952): any number of members, each with its header checksum (where it
/// has one), CRC-32 and length verified. Zero bytes behind the last member are padding;
/// anything else there is refused.
@safe
final class GzipDecoder: Decoder, @unchecked Sendable {
    private enum Phase {
        case start
        case header
        case body
        case between
        case padding
    }

    // SAFETY: both allocated in init and freed in deinit; used by one thread at a time.
    private let state: UnsafeMutablePointer<inflate_state>
    private let header: UnsafeMutablePointer<isal_gzip_header>
    private var phase = Phase.start

    init() throws(CodecError) {
        unsafe state = .allocate(capacity: 1)
        unsafe header = .allocate(capacity: 1)
        // SAFETY: the library sets every field it reads later.
        unsafe isal_inflate_init(state)
        unsafe isal_gzip_header_init(header)
    }

    deinit {
        // SAFETY: the blocks of init.
        unsafe state.deallocate()
        unsafe header.deallocate()
    }

    @unsafe
    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> DecoderStep {
        switch phase {
        case .start, .between:
            guard let first = unsafe input.first else { return DecoderStep(consumed: 0, produced: 0) }
            if phase == .between && first == 0 {
                phase = .padding
                return DecoderStep(consumed: 1, produced: 0)
            }
            if first != 0x1F {
                throw phase == .start ? .corrupt(.gzip, "no gzip header") : .trailingGarbage(.gzip)
            }
            startMember()
            return try unsafe readHeader(input)
        case .header:
            return try unsafe readHeader(input)
        case .body:
            return try unsafe inflate(input, output)
        case .padding:
            guard unsafe input.allSatisfy({ $0 == 0 }) else { throw .trailingGarbage(.gzip) }
            return DecoderStep(consumed: input.count, produced: 0)
        }
    }

    var isAtBoundary: Bool { phase == .between }

    func finish() throws(CodecError) {
        if phase != .between && phase != .padding { throw .truncated(.gzip) }
    }

    private func startMember() {
        // SAFETY: both are initialised; a header without buffers makes the library skip
        // name, comment and extra field.
        unsafe isal_inflate_reset(state)
        unsafe isal_gzip_header_init(header)
        unsafe state.pointee.crc_flag = UInt32(ISAL_GZIP)
        phase = .header
    }

    private func readHeader(_ input: UnsafeRawBufferPointer) throws(CodecError) -> DecoderStep {
        let given = unsafe setInput(input)
        // SAFETY: the library reads at most `avail_in` bytes.
        let result = unsafe isal_read_gzip_header(state, header)
        if result < 0 { throw .corrupt(.gzip, Self.reason(result)) }
        if result == ISAL_DECOMP_OK { phase = .body }
        return DecoderStep(consumed: given - Int(unsafe state.pointee.avail_in), produced: 0)
    }

    private func inflate(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> DecoderStep {
        let given = unsafe setInput(input)
        let space = UInt32(clamping: output.count)
        unsafe state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_out = space
        // SAFETY: the library reads and writes within the bounds just set.
        let result = unsafe isal_inflate(state)
        if result < 0 { throw .corrupt(.gzip, Self.reason(result)) }
        if unsafe state.pointee.block_state == ISAL_BLOCK_FINISH { phase = .between }
        return DecoderStep(
            consumed: given - Int(unsafe state.pointee.avail_in),
            produced: Int(space - (unsafe state.pointee.avail_out)))
    }

    private func setInput(_ input: UnsafeRawBufferPointer) -> Int {
        let count = UInt32(clamping: input.count)
        // SAFETY: the library reads through this pointer and never writes.
        let bytes = unsafe UnsafeMutableRawPointer(mutating: input.baseAddress)
        unsafe state.pointee.next_in = bytes?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_in = count
        return Int(count)
    }

    private static func reason(_ code: Int32) -> String {
        switch code {
        case ISAL_INVALID_BLOCK: "invalid block"
        case ISAL_INVALID_SYMBOL: "invalid symbol"
        case ISAL_INVALID_LOOKBACK: "reference before the start"
        case ISAL_INVALID_WRAPPER: "invalid header"
        case ISAL_UNSUPPORTED_METHOD: "unknown method"
        case ISAL_INCORRECT_CHECKSUM: "checksum or length does not match"
        default: "error \(code)"
        }
    }
}
