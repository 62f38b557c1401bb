// SparseRecords owns what the `GNU.sparse.` records of one extended header say.

import LaminaCore

/// The records by which GNU tar describes a sparse file in PAX format (GNU tar manual,
/// "Storing Sparse Files", versions 0.0, 0.1 and 1.0).
struct SparseRecords: Sendable {
    private var major: Int64?
    private var minor: Int64?
    private var count: Int64?
    private var size: Int64?
    private var numbers: [Int64] = []
    /// The file's own name, when `path` is that of the archive's member.
    private(set) var name: [UInt8]?

    /// Where the map of a sparse file is.
    enum Form {
        /// Here, complete.
        case records(SparseMap)
        /// At the start of the payload, as lines of digits.
        case payload(size: Int64)
    }

    /// Whether there was a record at all.
    var isEmpty: Bool {
        major == nil && minor == nil && count == nil && size == nil && numbers.isEmpty && name == nil
    }

    /// Takes the record `GNU.sparse.KEY`. Unknown ones are no error.
    mutating func set(_ key: Substring, _ value: [UInt8]) throws(TarFault) {
        switch key {
        case "major": major = try Self.number(value)
        case "minor": minor = try Self.number(value)
        case "numblocks": count = try Self.number(value)
        case "size", "realsize": size = try Self.number(value)
        case "name":
            if value.isEmpty || value.contains(0) { throw .badExtendedHeader }
            name = value
        case "offset", "numbytes":
            guard numbers.count.isMultiple(of: 2) == (key == "offset") else { throw .badSparseMap }
            numbers.append(try Self.number(value))
        case "map":
            numbers = []
            if value.isEmpty { break }
            for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                numbers.append(try Self.number(part))
            }
        default: break
        }
    }

    /// What the records say together; nil when they describe no sparse file.
    func form() throws(TarFault) -> Form? {
        switch (major, minor) {
        case (nil, nil):
            if count == nil && numbers.isEmpty { return nil }
        case (0, 0), (0, 1): break
        case (1, 0):
            guard let size else { throw .badSparseMap }
            return .payload(size: size)
        default: throw .unsupportedSparse
        }
        guard let size, let count, let entries = Int(exactly: count), entries == numbers.count / 2 else {
            throw .badSparseMap
        }
        return .records(try SparseMap(size: size, numbers: numbers))
    }

    private static func number(_ digits: some Sequence<UInt8>) throws(TarFault) -> Int64 {
        guard let number = TarNumber.decimal(digits) else { throw .badSparseMap }
        return number
    }
}
