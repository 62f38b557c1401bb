// What holds of every compressed stream: the same bytes or the same refusal, whatever the
// sizes of input and output, and however many threads decode.

import LaminaCodec
import LaminaCore

enum CodecProperty {
    /// Decompressed bytes that are looked at.
    private static let outputLimit = 1 << 20

    private enum Outcome {
        case whole(Digest)
        case refused
        /// More than is looked at, where what is wrong behind that may or may not be met.
        case long
    }

    static func check(_ bytes: [UInt8]) -> Bool {
        let whole = outcome(bytes, step: .max, bufferSize: 1 << 18, chunk: 1 << 16)
        let cut = outcome(bytes, step: 7, bufferSize: 64, chunk: 4093)
        let ahead = outcome(bytes, step: 4096, bufferSize: 64, chunk: 1 << 16, threads: 2)
        let isTaken = agree(whole, cut)
        return agree(whole, ahead) && isTaken
    }

    /// Requires that two readings say the same; true when the stream was read to its end.
    private static func agree(_ one: Outcome, _ other: Outcome) -> Bool {
        switch (one, other) {
        case (.whole(let first), .whole(let second)):
            require(first == second, "the way of reading changes no byte")
            return true
        case (.refused, .refused), (.long, _), (_, .long): return false
        default: preconditionFailure("the way of reading changes no verdict")
        }
    }

    private static func outcome(
        _ bytes: [UInt8], step: Int, bufferSize: Int, chunk: Int, threads: Int = 1
    ) -> Outcome {
        do throws(CodecError) {
            var source = try DecompressingSource(
                MemorySource(bytes, step: step), bufferSize: bufferSize, threads: threads, memory: 1 << 14)
            var buffer = Buffer(capacity: chunk)
            var hash = SHA256()
            var count = 0
            while try buffer.fill(from: &source) {
                hash.update(buffer.bytes.raw)
                count += buffer.count
                if count > outputLimit { return .long }
            }
            return .whole(hash.finish())
        } catch {
            return .refused
        }
    }
}
