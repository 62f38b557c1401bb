// TarNumber reads the number fields of tar headers and of PAX records.

import LaminaCore

/// Numbers as tar writes them.
enum TarNumber {
    /// A number field of a header: octal digits between spaces and NULs, or big-endian
    /// two's complement when the top bit is set ("base-256", GNU tar manual, "Extensions to
    /// the format"). An empty field is 0.
    static func field(_ bytes: Span<UInt8>) -> Result<Int64, NumberFault> {
        guard bytes.count > 0 else { return .success(0) }
        if bytes[0] & 0x80 != 0 { return base256(bytes) }
        var start = 0
        var end = bytes.count
        while start < end, bytes[start] == 0 || bytes[start] == UInt8(ascii: " ") { start += 1 }
        while end > start, bytes[end - 1] == 0 || bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
        var value: Int64 = 0
        for index in start..<end {
            let byte = bytes[index]
            if byte == 0 { break }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7") else { return .failure(.malformed) }
            let (product, overflow) = value.multipliedReportingOverflow(by: 8)
            if overflow { return .failure(.outOfRange) }
            value = product | Int64(byte - UInt8(ascii: "0"))
        }
        return .success(value)
    }

    private static func base256(_ bytes: Span<UInt8>) -> Result<Int64, NumberFault> {
        let negative = bytes[0] & 0x40 != 0
        // The marker bit is no part of the number: extend the sign over it.
        var value: Int64 = negative ? -1 : 0
        for index in bytes.indices {
            let byte = index == 0 ? (negative ? bytes[0] | 0x80 : bytes[0] & 0x7F) : bytes[index]
            let (product, overflow) = value.multipliedReportingOverflow(by: 256)
            if overflow { return .failure(.outOfRange) }
            value = product | Int64(byte)
        }
        return .success(value)
    }

    /// Decimal digits with an optional sign, nothing else.
    static func decimal(_ bytes: some Sequence<UInt8>) -> Int64? {
        var value: Int64 = 0
        var digits = 0
        var negative = false
        for (index, byte) in bytes.enumerated() {
            if index == 0 && byte == UInt8(ascii: "-") {
                negative = true
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            if over || carry { return nil }
            value = sum
            digits += 1
        }
        if digits == 0 { return nil }
        return negative ? -value : value
    }

    /// A PAX time: decimal seconds with an optional fraction, of which nine digits count.
    /// Negative times round towards the past, as the kernel keeps them.
    static func time(_ bytes: [UInt8]) -> Timestamp? {
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let seconds = decimal(whole) else { return nil }
        guard parts.count == 2 else { return Timestamp(seconds: seconds) }
        var nanoseconds: UInt32 = 0
        var digits = 0
        for byte in parts[1] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            if digits < 9 {
                nanoseconds = nanoseconds * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
            }
        }
        while digits < 9 {
            nanoseconds *= 10
            digits += 1
        }
        if whole.first == UInt8(ascii: "-") && nanoseconds > 0 {
            let (earlier, overflow) = seconds.subtractingReportingOverflow(1)
            return overflow ? nil : Timestamp(seconds: earlier, nanoseconds: 1_000_000_000 - nanoseconds)
        }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}

/// Why a number field says nothing.
enum NumberFault: Error {
    case malformed
    case outOfRange
}
