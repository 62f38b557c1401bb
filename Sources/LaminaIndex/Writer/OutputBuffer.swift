// OutputBuffer owns the bytes between an index writer and its file: one buffer, written
// out in large pieces, in order, never twice.

import LaminaCore
import LaminaSystem

/// Sequential output of little-endian records.
struct OutputBuffer: ~Copyable {
    private var buffer: [UInt8]
    private var used = 0
    private var flushed = 0

    /// More than the largest record: inode, xattrs and chunk indexes.
    private static let capacity = 1 << 20

    init() {
        buffer = [UInt8](repeating: 0, count: Self.capacity)
    }

    /// Bytes given so far.
    var position: Int { flushed + used }

    /// Makes room for a record of `size` bytes, all zero, and gives its start for `put`.
    /// `size` is at most 1 MiB.
    mutating func record(_ size: Int, to file: borrowing Descriptor) throws(IndexError) -> Int {
        if used + size > buffer.count { try flush(to: file) }
        let start = used
        used += size
        return start
    }

    /// Zeros up to byte `end` of the file.
    mutating func pad(to end: Int, _ file: borrowing Descriptor) throws(IndexError) {
        while position < end { _ = try record(min(end - position, Erofs.blockSize), to: file) }
    }

    /// Stores an integer at `offset` of the buffer.
    @inline(__always)
    mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        // SAFETY: storeBytes checks the range.
        unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
        }
    }

    /// Stores bytes at `offset` of the buffer.
    @inline(__always)
    mutating func put(_ source: Span<UInt8>, at offset: Int) {
        precondition(offset >= 0 && offset + source.count <= buffer.count)
        unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe source.withUnsafeBytes { piece in
                // SAFETY: the range was checked above.
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]).copyMemory(from: piece)
            }
        }
    }

    /// The record at `offset`.
    @_lifetime(borrow self)
    borrowing func bytes(_ range: Range<Int>) -> RawSpan {
        buffer.raw.extracting(range)
    }

    /// Writes everything out and clears the buffer.
    mutating func flush(to file: borrowing Descriptor) throws(IndexError) {
        guard used > 0 else { return }
        do throws(Errno) {
            try file.writeAll(buffer.raw.extracting(0..<used))
        } catch {
            throw .system(error)
        }
        flushed += used
        let count = used
        unsafe buffer.withUnsafeMutableBytes { bytes in
            // SAFETY: clears bytes of the buffer itself; the slice is checked.
            _ = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
        used = 0
    }
}
