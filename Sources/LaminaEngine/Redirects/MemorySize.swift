// MemorySize owns how Docker writes amounts of memory: go-units' `RAMInBytes`.

public enum MemorySize {
    private static let powers: [UInt8: Int] = [
        UInt8(ascii: "k"): 1, UInt8(ascii: "m"): 2, UInt8(ascii: "g"): 3, UInt8(ascii: "t"): 4,
        UInt8(ascii: "p"): 5,
    ]

    /// Bytes: a decimal number and, perhaps behind a space, `b` or k, m, g, t, p for powers of 1024,
    /// which may be followed by `b` or `ib`; in either case. A fraction of a byte is dropped. Nil for
    /// anything else, and for more than an Int64 holds.
    public static func bytes(_ text: String) -> Int64? {
        let digits: (UInt8) -> Bool = { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard let last = text.utf8.lastIndex(where: { digits($0) || $0 == 0x20 }) else { return nil }
        let hasSpace = text.utf8[last] == 0x20
        let unit = text.utf8[text.utf8.index(after: last)...].map { $0 | 0x20 }
        let number = hasSpace ? text.utf8[..<last] : text.utf8[...last]
        // Go's ParseFloat without "inf" and hexadecimal: those mean nothing here.
        guard number.allSatisfy({ digits($0) || [0x65, 0x45, 0x2B, 0x2D].contains($0) }),
            let value = Double(String(Substring(number))), value >= 0, let factor = factor(unit)
        else { return nil }
        return Int64(exactly: (value * factor).rounded(.towardZero))
    }

    private static func factor(_ unit: [UInt8]) -> Double? {
        guard let first = unit.first else { return 1 }
        if unit == [UInt8(ascii: "b")] { return 1 }
        guard let power = powers[first] else { return nil }
        let rest = String(decoding: unit.dropFirst(), as: UTF8.self)
        guard ["", "b", "ib"].contains(rest) else { return nil }
        return Double(Int64(1) << Int64(10 * power))
    }
}
