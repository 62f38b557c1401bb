// HashingSource passes a blob's bytes on and hashes them on their way.

import LaminaCodec
import LaminaCore

/// A source whose bytes are hashed in passing.
struct HashingSource<Upstream: ByteSource & ~Copyable>: ~Copyable, ByteSource {
    private var upstream: Upstream
    private var hash: SHA256? = SHA256()

    init(_ upstream: consuming Upstream) {
        self.upstream = upstream
    }

    /// The blob is the tar: its digest is the diffID, and one hash is enough.
    mutating func stopHashing() {
        hash = nil
    }

    @unsafe
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        let got = try unsafe upstream.read(into: buffer)
        // SAFETY: the bytes just read, in the caller's buffer, which nobody else writes.
        hash?.update(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<got])))
        return got
    }

    /// The digest of what passed; nil after `stopHashing`.
    consuming func finish() -> Digest? {
        hash.take()?.finish()
    }
}
