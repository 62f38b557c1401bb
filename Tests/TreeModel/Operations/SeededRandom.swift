// SeededRandom is the one source of chance of scripts and layers: the same seed gives the same
// script on every machine.

import LaminaCore

/// SplitMix64.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// A number in 0..<limit; 0 for a limit below 1.
    public mutating func below(_ limit: Int) -> Int {
        limit < 1 ? 0 : Int(next() % UInt64(limit))
    }

    /// True in `percent` of 100 cases.
    public mutating func chance(_ percent: Int) -> Bool {
        below(100) < percent
    }

    /// One of some values, which must not be empty.
    public mutating func pick<Values: RandomAccessCollection>(_ values: Values) -> Values.Element {
        values[values.index(values.startIndex, offsetBy: below(values.count))]
    }

    /// `count` bytes; a short seed, so that a script can name them.
    public static func bytes(_ count: Int, seed: UInt8) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 7) ^ Int(seed)) | 1 }
    }
}
