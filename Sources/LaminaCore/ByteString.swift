// ByteString owns a name or path as the kernel sees it: bytes, none of them NUL.
// The storage always ends in one NUL, so that a system call takes it without a copy.

/// A file name, path or xattr name: any bytes but NUL, compared byte by byte.
///
/// Names are not text. `String` would replace invalid UTF-8 and call two spellings of
/// "é" equal; this type does neither. Passing one to a system call copies nothing.
public struct ByteString: Sendable {
    /// The bytes and one NUL behind them.
    @usableFromInline
    internal var storage: [UInt8]

    /// The empty name.
    public init() {
        storage = [0]
    }

    /// Takes `bytes` up to the first NUL, as a C string would be read.
    // Inlinable: an unspecialised loop over a generic sequence costs 20 ns a byte.
    @inlinable
    public init(_ bytes: some Sequence<UInt8>) {
        storage = []
        storage.reserveCapacity(bytes.underestimatedCount + 1)
        for byte in bytes {
            if byte == 0 { break }
            storage.append(byte)
        }
        storage.append(0)
    }

    /// Takes the UTF-8 of `text`, for names written in source code and on terminals.
    public init(_ text: String) {
        var text = text
        // SAFETY: the bytes are read during the call alone.
        self = text.withUTF8 { bytes in unsafe ByteString(copying: bytes) }
    }

    /// Copies the bytes of `span` up to the first NUL.
    public init(_ span: Span<UInt8>) {
        // SAFETY: the bytes are read during the call alone.
        self = unsafe span.withUnsafeBufferPointer { bytes in unsafe ByteString(copying: bytes) }
    }

    /// One allocation, and no loop over single bytes: names are made for every request.
    @unsafe
    private init(copying bytes: UnsafeBufferPointer<UInt8>) {
        let count = unsafe bytes.firstIndex(of: 0) ?? bytes.count
        // SAFETY: `count` bytes and the NUL behind them are all of the capacity.
        storage = unsafe Array(unsafeUninitializedCapacity: count + 1) { space, filled in
            let end = unsafe space.initialize(fromContentsOf: bytes[..<count])
            unsafe space.initializeElement(at: end, to: 0)
            filled = count + 1
        }
    }

    /// Copies a C string. The pointer must lead to a NUL.
    @unsafe
    public init(cString: UnsafePointer<CChar>) {
        storage = []
        var cursor = unsafe cString
        // SAFETY: the caller promises a terminating NUL; the loop stops at it.
        while unsafe cursor.pointee != 0 {
            storage.append(UInt8(bitPattern: unsafe cursor.pointee))
            unsafe cursor += 1
        }
        storage.append(0)
    }

    /// The number of bytes, without the NUL. O(1).
    @inlinable
    public var count: Int { storage.count - 1 }

    /// Whether there is no byte. O(1).
    @inlinable
    public var isEmpty: Bool { storage.count == 1 }

    /// The bytes without the NUL. O(1).
    @inlinable
    public var bytes: ArraySlice<UInt8> { storage[..<(storage.count - 1)] }

    /// Calls `body` with the bytes without the NUL. O(1).
    public func withSpan<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.span.extracting(0..<count))
    }

    /// Calls `body` with the NUL-terminated bytes, for a system call. O(1).
    @unsafe
    public func withCString<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: the storage is alive during the call and ends in NUL; CChar and UInt8
        // have one layout.
        try unsafe storage.span.withUnsafeBufferPointer { (buffer) throws(Failure) in
            try unsafe buffer.withMemoryRebound(to: CChar.self) { (rebound) throws(Failure) in
                guard let base = rebound.baseAddress else { preconditionFailure("storage is never empty") }
                return try unsafe body(base)
            }
        }
    }
}

extension ByteString: Hashable {
    public static func == (left: ByteString, right: ByteString) -> Bool {
        left.storage == right.storage
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(storage)
    }
}

extension ByteString: Comparable {
    /// Unsigned byte order, as `memcmp(3)` and EROFS directories have it.
    public static func < (left: ByteString, right: ByteString) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension ByteString: ExpressibleByStringLiteral {
    public init(stringLiteral value: StaticString) {
        // SAFETY: the bytes are read during the call alone.
        self = value.withUTF8Buffer { bytes in unsafe ByteString(copying: bytes) }
    }
}

extension ByteString: CustomStringConvertible {
    /// For people and logs: bytes that are not printable UTF-8 appear as `\xNN`.
    public var description: String {
        var result = ""
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                if scalar.value < 0x20 || scalar.value == 0x7F || scalar == "\\" {
                    result += Self.escape(UInt8(truncatingIfNeeded: scalar.value))
                } else {
                    result.unicodeScalars.append(scalar)
                }
            case .error(let length):
                // The parser does not hand the bad bytes back; mark how many there were.
                result += String(repeating: "\u{FFFD}", count: length)
            case .emptyInput:
                return result
            }
        }
    }

    private static func escape(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count < 2 ? "0" : "") + digits
    }
}

extension ByteString {
    /// This path with `/` and `name` behind it.
    public func appending(_ name: ByteString) -> ByteString {
        if isEmpty { return name }
        var result = self
        result.storage.removeLast()
        if result.storage.last != UInt8(ascii: "/") { result.storage.append(UInt8(ascii: "/")) }
        result.storage.append(contentsOf: name.storage)
        return result
    }

    /// The path that leads through `names`, in one allocation; empty without any.
    public init(joining names: ArraySlice<ByteString>) {
        storage = []
        storage.reserveCapacity(names.reduce(1) { $0 + $1.storage.count })
        for name in names {
            if let last = storage.last, last != UInt8(ascii: "/") { storage.append(UInt8(ascii: "/")) }
            storage.append(contentsOf: name.bytes)
        }
        storage.append(0)
    }

    /// This name with `suffix` directly behind it.
    public static func + (left: ByteString, right: ByteString) -> ByteString {
        var result = left
        result.storage.removeLast()
        result.storage.append(contentsOf: right.storage)
        return result
    }

    /// The parts between slashes, without empty ones.
    public var components: [ByteString] {
        bytes.split(separator: UInt8(ascii: "/")).map { ByteString($0) }
    }

    /// Whether the bytes start with those of `prefix`.
    @inlinable
    public func hasPrefix(_ prefix: ByteString) -> Bool {
        bytes.starts(with: prefix.bytes)
    }

    /// The bytes after the first `length`; empty when there are fewer.
    @inlinable
    public func dropFirst(_ length: Int) -> ByteString {
        ByteString(bytes.dropFirst(length))
    }
}
