// Buffer owns one page-aligned block of memory and says how many of its bytes are filled.

import LaminaCore
import LaminaSystem

/// A fixed block of memory that a source fills.
@safe
public struct Buffer: ~Copyable, @unchecked Sendable {
    // SAFETY: allocated in init, freed in deinit, never handed out beyond a borrow of self.
    private let base: UnsafeMutableRawPointer
    /// The number of bytes that fit.
    public let capacity: Int
    /// The number of bytes that are filled.
    public private(set) var count = 0

    public init(capacity: Int) {
        let size = max(capacity, 1)
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
        self.capacity = size
    }

    deinit {
        // SAFETY: the block of init.
        unsafe base.deallocate()
    }

    /// The filled bytes.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // SAFETY: `count` bytes were written by a source; the block lives as long as self.
            let pointer = unsafe base.assumingMemoryBound(to: UInt8.self)
            let span = unsafe Span<UInt8>(_unsafeStart: pointer, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Reads until the block is full or the source ends; false when not a byte came.
    public mutating func fill(
        from source: inout some ByteSource & ~Copyable
    ) throws(CodecError) -> Bool {
        count = 0
        while count < capacity {
            // SAFETY: the rest of the block, which only this call writes.
            let rest = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
            let got = try unsafe source.read(into: rest)
            if got == 0 { break }
            count += min(got, capacity - count)
        }
        return count > 0
    }

    /// Reads once; false at the end of the source.
    mutating func refill(from source: inout some ByteSource & ~Copyable) throws(CodecError) -> Bool {
        count = 0
        // SAFETY: the whole block, which only this call writes.
        let block = unsafe UnsafeMutableRawBufferPointer(start: base, count: capacity)
        count = min(try unsafe source.read(into: block), capacity)
        return count > 0
    }

    /// Reads `count` bytes of `file` at `offset`, at most the capacity; false when the file ends
    /// before.
    public mutating func fill(
        from file: borrowing Descriptor, at offset: Int64, count wanted: Int
    ) throws(Errno) -> Bool {
        count = 0
        while count < min(wanted, capacity) {
            // SAFETY: the rest of what is wanted, which lies in the block and only this call writes.
            let rest = unsafe UnsafeMutableRawBufferPointer(
                start: base + count, count: min(wanted, capacity) - count)
            let got = try unsafe file.read(into: rest, at: offset + Int64(count))
            if got == 0 { return false }
            count += min(got, rest.count)
        }
        return true
    }

    /// Reads until `limit` bytes are filled, or all; false when the source ended before.
    mutating func append(
        upTo limit: Int, from source: inout some ByteSource & ~Copyable
    ) throws(CodecError) -> Bool {
        while count < min(limit, capacity) {
            let room = min(limit, capacity) - count
            // SAFETY: bytes of the block behind the filled ones, which only this call writes.
            let rest = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: room)
            let got = try unsafe source.read(into: rest)
            if got == 0 { return false }
            count += min(got, room)
        }
        return true
    }

    /// Copies as many of `bytes` behind the filled ones as fit; returns how many.
    @discardableResult
    mutating func append(_ bytes: Span<UInt8>) -> Int {
        let room = min(bytes.count, capacity - count)
        // SAFETY: `room` bytes are in both.
        unsafe bytes.extracting(0..<room).withUnsafeBytes { piece in
            unsafe UnsafeMutableRawBufferPointer(start: base + count, count: room).copyMemory(from: piece)
        }
        count += room
        return room
    }

    /// One step of `decoder` over what `input` holds behind its first `start` bytes, into what is
    /// free, which is not nothing.
    mutating func append(
        from decoder: any Decoder, _ input: borrowing Buffer, behind start: Int
    ) throws(CodecError) -> DecoderStep {
        // SAFETY: the free part of the block, which only this call writes.
        let room = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
        let step = try unsafe decoder.step(over: input.bytes.extracting(start..<input.count), into: room)
        count += min(step.produced, capacity - count)
        return step
    }

    /// Keeps the first `length` bytes only.
    mutating func shorten(to length: Int) {
        count = min(max(length, 0), count)
    }
}
