// One spelling for "these bytes, untyped", which every writer and hasher takes.

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
