// BlobTee passes a blob's bytes on, hashing and keeping them on their way.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// A source whose bytes are hashed and, if a file is given, written to it in passing.
struct BlobTee<Upstream: ByteSource & ~Copyable>: ~Copyable, ByteSource {
    private var upstream: Upstream
    private var file: Descriptor?
    private var writeBehind = WriteBehind()
    private var hash: SHA256? = SHA256()
    private(set) var count: UInt64 = 0

    init(_ upstream: consuming Upstream, file: consuming Descriptor?) {
        self.upstream = upstream
        self.file = file
    }

    /// Only counts from now on: the blob is the tar, which is kept in parts and hashed there.
    mutating func stopKeeping() {
        file = nil
        hash = nil
    }

    @unsafe
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        let got = try unsafe upstream.read(into: buffer)
        count += UInt64(got)
        // SAFETY: the bytes just read, in the caller's buffer, which nobody else writes.
        let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<got]))
        hash?.update(bytes)
        do throws(Errno) {
            try file?.writeAll(bytes)
        } catch {
            throw .write(error)
        }
        if let range = writeBehind.wrote(got) { file?.startWriteback(range) }
        return got
    }

    /// The digest of what passed; nil when `stopKeeping` was called.
    mutating func finish() -> Digest? {
        hash?.finishAndReset()
    }
}

extension BlobTee: Sendable where Upstream: Sendable & ~Copyable {}
