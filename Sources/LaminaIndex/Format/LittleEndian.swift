// Loads of little-endian numbers from bytes that may lie: every one is checked.

import LaminaCore

extension RawSpan {
    /// The integer at `offset`, or `damaged` where it would leave the span.
    @inline(__always)
    func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: Value.Type
    ) throws(IndexError) -> Value {
        guard offset >= 0, byteCount >= MemoryLayout<Value>.size,
            offset <= byteCount &- MemoryLayout<Value>.size
        else { throw .damaged("a structure leaves the file", at: UInt64(bitPattern: Int64(offset))) }
        // SAFETY: the range was checked above; any bits are an integer.
        return Value(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The byte at `offset`, which the caller has checked; out of range traps.
    @inline(__always)
    func byte(_ offset: Int) -> UInt8 {
        // SAFETY: unsafeLoad checks the range; any bits are a byte.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The bytes of `range`, or `damaged` where it would leave the span.
    @inline(__always)
    @_lifetime(copy self)
    func slice(_ start: Int, _ count: Int) throws(IndexError) -> RawSpan {
        guard start >= 0, count >= 0, start <= byteCount, count <= byteCount &- start else {
            throw .damaged("a structure leaves the file", at: UInt64(bitPattern: Int64(start)))
        }
        return extracting(start..<start &+ count)
    }

    /// The same memory as bytes.
    var elements: Span<UInt8> {
        @inline(__always)
        @_lifetime(copy self)
        get {
            let span = Span<UInt8>(_bytes: self)
            // SAFETY: any bits are a byte, and the span is of the same memory.
            return unsafe _overrideLifetime(span, copying: self)
        }
    }
}

extension FixedWidthInteger {
    /// This value rounded up to a multiple of `unit`, a power of two; nil on overflow.
    @inline(__always)
    func roundedUp(to unit: Self) -> Self? {
        let (sum, overflow) = addingReportingOverflow(unit - 1)
        return overflow ? nil : sum & ~(unit - 1)
    }
}
