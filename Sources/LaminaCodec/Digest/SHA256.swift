// SHA256 owns one running hash of libcrypto; two that take the same bytes go faster together.

import CCrypto
import CSHA256
import LaminaCore

/// A running SHA-256 (FIPS 180-4), libcrypto's `SHA256_Update`, which uses the processor's SHA
/// instructions. None of its functions fails.
public struct SHA256: ~Copyable, Sendable {
    private var context = SHA256_CTX()

    /// Bytes of a block.
    private static let blockSize = 64
    private static let goesInPairs = csha256_pair_works() != 0

    public init() {
        reset()
    }

    private mutating func reset() {
        // SAFETY: fills the context, which is self's own.
        unsafe SHA256_Init(&context)
    }

    /// Hashes `bytes`. O(bytes), about 1.8 GB/s.
    public mutating func update(_ bytes: RawSpan) {
        // SAFETY: the library only reads the span's bytes during the call.
        unsafe bytes.withUnsafeBytes { buffer in
            _ = unsafe SHA256_Update(&context, buffer.baseAddress, buffer.count)
        }
    }

    /// Hashes `bytes` into `self` and `other`: where the processor can, and both stand between two
    /// blocks, in little more time than one takes.
    public mutating func update(_ bytes: RawSpan, with other: inout SHA256) {
        var rest = bytes
        let blocks = bytes.byteCount / Self.blockSize
        if Self.goesInPairs, blocks > 0, context.num == 0, other.context.num == 0 {
            let whole = bytes.extracting(first: blocks * Self.blockSize)
            // SAFETY: reads `blocks` blocks and changes the eight words of each state, all within bounds.
            unsafe whole.withUnsafeBytes { buffer in
                unsafe withUnsafeMutableBytes(of: &context.h) { first in
                    unsafe withUnsafeMutableBytes(of: &other.context.h) { second in
                        unsafe csha256_pair(
                            first.baseAddress?.assumingMemoryBound(to: UInt32.self),
                            second.baseAddress?.assumingMemoryBound(to: UInt32.self),
                            buffer.baseAddress, blocks)
                    }
                }
            }
            context.count(whole.byteCount)
            other.context.count(whole.byteCount)
            rest = bytes.extracting(droppingFirst: whole.byteCount)
        }
        update(rest)
        other.update(rest)
    }

    /// The digest of all bytes so far.
    public consuming func finish() -> Digest {
        finishAndReset()
    }

    /// The digest of all bytes so far; the next update starts a new hash.
    public mutating func finishAndReset() -> Digest {
        var output = [UInt8](repeating: 0, count: Digest.byteCount)
        // SAFETY: SHA-256 writes exactly 32 bytes.
        unsafe SHA256_Final(&output, &context)
        reset()
        guard let digest = Digest(bytes: output) else { preconditionFailure("32 bytes are a digest") }
        return digest
    }

    /// The digest of `bytes`.
    public static func digest(of bytes: RawSpan) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }
}

extension SHA256_CTX {
    /// Notes that so many bytes went into the state: the length in bits, in two words.
    fileprivate mutating func count(_ bytes: Int) {
        let bits = (UInt64(Nh) << 32 | UInt64(Nl)) &+ UInt64(bytes) << 3
        Nl = UInt32(truncatingIfNeeded: bits)
        Nh = UInt32(truncatingIfNeeded: bits >> 32)
    }
}
