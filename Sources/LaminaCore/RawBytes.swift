// One spelling for "these bytes, untyped", which every writer and hasher takes.

import Glibc

extension Array where Element == UInt8 {
    /// The array's bytes.
    public var raw: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: bytes have no padding to expose.
            let bytes = unsafe span.bytes
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }
}

extension Span where Element == UInt8 {
    /// The span's bytes.
    public var raw: RawSpan {
        @_lifetime(copy self)
        get {
            // SAFETY: bytes have no padding to expose.
            let bytes = unsafe bytes
            return unsafe _overrideLifetime(bytes, copying: self)
        }
    }
}

extension RawSpan {
    /// Whether both are the same bytes. O(bytes), by `memcmp(3)`.
    public func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        // SAFETY: both have `byteCount` readable bytes during the call.
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                guard let first = left.baseAddress, let second = right.baseAddress else {
                    return true
                }
                return unsafe memcmp(first, second, left.count) == 0
            }
        }
    }
}
