// SparseMapReader collects a map that follows its header, block by block.

import LaminaCore

/// Reads the maps that are no part of any header: GNU tar's extension blocks behind a
/// header of type `S`, and the lines that start the payload of PAX version 1.0.
struct SparseMapReader: Sendable {
    enum Form: Sendable {
        /// Blocks of 21 pairs of number fields; byte 504 says whether one more follows.
        case blocks
        /// Decimal numbers, each before a newline: how many segments, then these.
        case lines
    }

    private let form: Form
    private let size: Int64
    private var numbers: [Int64]
    /// Of lines: the numbers that are still to come, once that is known.
    private var missing: Int64?
    private var value: Int64 = 0
    private var hasDigits = false
    private var isComplete: Bool

    /// Bytes from the field of one number to the next.
    private static let fieldSize = 12

    /// Goes on behind `numbers`, which the header had.
    init(_ form: Form, size: Int64, numbers: [Int64] = []) {
        self.form = form
        self.size = size
        self.numbers = numbers
        isComplete = false
    }

    /// Takes the next block of 512 bytes; true when it was the last.
    mutating func take(_ block: Span<UInt8>) throws(TarFault) -> Bool {
        switch form {
        case .blocks:
            numbers += try Self.pairs(block, at: 0, count: 21)
            isComplete = block[504] == 0
        case .lines:
            for index in block.indices where !isComplete { try takeDigit(block[index]) }
        }
        return isComplete
    }

    /// The map, behind its last block.
    func map() throws(TarFault) -> SparseMap {
        try SparseMap(size: size, numbers: numbers)
    }

    private mutating func takeDigit(_ byte: UInt8) throws(TarFault) {
        if byte == UInt8(ascii: "\n") {
            guard hasDigits else { throw .badSparseMap }
            try takeNumber(value)
            value = 0
            hasDigits = false
            return
        }
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw .badSparseMap }
        let (product, over) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
        if over || carry { throw .badSparseMap }
        value = sum
        hasDigits = true
    }

    private mutating func takeNumber(_ number: Int64) throws(TarFault) {
        guard let left = missing else {
            let (count, overflow) = number.multipliedReportingOverflow(by: 2)
            if overflow { throw .badSparseMap }
            missing = count
            isComplete = count == 0
            return
        }
        numbers.append(number)
        missing = left - 1
        isComplete = left == 1
    }

    /// The pairs of number fields at `offset`, up to the first that is not filled.
    static func pairs(_ block: Span<UInt8>, at offset: Int, count: Int) throws(TarFault) -> [Int64] {
        var result: [Int64] = []
        for index in 0..<count {
            let start = offset + index * 2 * fieldSize
            if block[start] == 0 { break }
            for field in [start, start + fieldSize] {
                guard case .success(let number) = TarNumber.field(block.extracting(field..<field + fieldSize))
                else { throw .badSparseMap }
                result.append(number)
            }
        }
        return result
    }
}
