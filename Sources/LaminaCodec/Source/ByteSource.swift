// ByteSource is how bytes come in: pulled, into a buffer of the caller.

import LaminaCore
import LaminaSystem

/// A stream of bytes that is read once.
public protocol ByteSource: ~Copyable {
    /// Reads up to `buffer.count` bytes into `buffer`; 0 only at the end (or for an empty buffer).
    @unsafe
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int
}

/// The bytes of an open file from its position on, at most `limit` of them.
public struct DescriptorSource: ~Copyable, ByteSource, Sendable {
    private let descriptor: Descriptor
    private var remaining: UInt64

    public init(_ descriptor: consuming Descriptor, limit: UInt64 = .max) {
        self.descriptor = descriptor
        remaining = limit
    }

    @unsafe
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        let wanted = Int(min(UInt64(buffer.count), remaining))
        if wanted == 0 { return 0 }
        do throws(Errno) {
            // SAFETY: a part of the caller's buffer.
            let got = try unsafe descriptor.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
            remaining -= UInt64(got)
            return got
        } catch {
            throw .read(error)
        }
    }
}

/// Bytes that are in memory already.
public struct MemorySource: ByteSource, Sendable {
    private let bytes: [UInt8]
    private var position = 0
    private let step: Int

    /// `step` bounds what one read gives, as a pipe would.
    public init(_ bytes: [UInt8], step: Int = .max) {
        self.bytes = bytes
        self.step = max(step, 1)
    }

    @unsafe
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        let count = min(min(buffer.count, bytes.count - position), step)
        // SAFETY: `count` is within both.
        unsafe bytes.span.extracting(position..<(position + count)).withUnsafeBytes { piece in
            unsafe buffer.copyMemory(from: piece)
        }
        position += count
        return count
    }
}
