// PaxRecords owns what extended headers say about the entries behind them.

import LaminaCore

/// A value that an extended header may set, or take back by an empty record.
enum PaxField<Value: Sendable>: Sendable {
    case unset
    case cleared
    case value(Value)

    /// What holds when `self` stands in a local and `global` in a global header.
    func over(_ global: PaxField<Value>) -> Value? {
        switch (self, global) {
        case (.value(let value), _), (.unset, .value(let value)): value
        default: nil
        }
    }
}

/// The records of one extended header (POSIX.1-2017 `pax`, "pax Extended Header").
///
/// Names are bytes in whatever `hdrcharset` says, since the kernel's names are too. Records
/// of other keys are left to the stream, which keeps them.
struct PaxRecords: Sendable {
    var path = PaxField<[UInt8]>.unset
    var linkPath = PaxField<[UInt8]>.unset
    var size = PaxField<Int64>.unset
    var uid = PaxField<Int64>.unset
    var gid = PaxField<Int64>.unset
    var mtime = PaxField<Timestamp>.unset
    var sparse = SparseRecords()
    /// Of `SCHILY.xattr.` records.
    var attributes: [ByteString: [UInt8]] = [:]
    /// Of `LIBARCHIVE.xattr.` records; the other spelling of a name wins.
    var encodedAttributes: [ByteString: [UInt8]] = [:]

    /// Of `MSWINDOWS.` records, by which Windows layers say attributes, security descriptors and the like, under the
    /// names that they have as xattrs.
    var windowsAttributes: [ByteString: [UInt8]] = [:]

    var hasAttributes: Bool {
        !attributes.isEmpty || !encodedAttributes.isEmpty || !windowsAttributes.isEmpty
    }

    /// Both spellings together.
    var mergedAttributes: [ByteString: [UInt8]] {
        encodedAttributes.merging(attributes) { $1 }
    }

    /// Adds the records of one header's payload to these: later records win.
    mutating func add(_ payload: [UInt8]) throws(TarFault) {
        var start = 0
        while start < payload.count {
            // Zeros fill the payload of some writers up to its block.
            if payload[start] == 0 {
                guard payload[start...].allSatisfy({ $0 == 0 }) else { throw .badExtendedHeader }
                return
            }
            // At most 10 digits can matter: a payload is far smaller.
            let window = payload[start..<min(start + 11, payload.count)]
            guard let space = window.firstIndex(of: UInt8(ascii: " ")),
                let length = TarNumber.decimal(payload[start..<space]), length > 0,
                length <= payload.count - start
            else { throw .badExtendedHeader }
            let end = start + Int(length)
            guard space + 1 < end, payload[end - 1] == UInt8(ascii: "\n") else { throw .badExtendedHeader }
            try addRecord(payload[(space + 1)..<(end - 1)])
            start = end
        }
    }

    private mutating func addRecord(_ record: ArraySlice<UInt8>) throws(TarFault) {
        guard let equals = record.firstIndex(of: UInt8(ascii: "=")), equals > record.startIndex else {
            throw .badExtendedHeader
        }
        let key = record[..<equals]
        let value = Array(record[(equals + 1)...])
        if key.contains(0) { throw .badExtendedHeader }
        if let name = Self.suffix(of: key, behind: "SCHILY.xattr.") {
            attributes[name] = value
        } else if let name = Self.suffix(of: key, behind: "LIBARCHIVE.xattr.") {
            encodedAttributes[try Self.percentDecoded(name)] = try Self.base64Decoded(value)
        } else if let name = Self.suffix(of: key, behind: "MSWINDOWS.") {
            windowsAttributes["user.mswindows." + name] = value
        } else {
            try set(String(decoding: key, as: UTF8.self), value)
        }
    }

    private mutating func set(_ key: String, _ value: [UInt8]) throws(TarFault) {
        switch key {
        case "path": path = try Self.name(value)
        case "linkpath": linkPath = try Self.name(value)
        case "size": size = try Self.number(value)
        case "uid": uid = try Self.number(value)
        case "gid": gid = try Self.number(value)
        case "mtime":
            guard !value.isEmpty else { return mtime = .cleared }
            guard let time = TarNumber.time(value) else { throw .badExtendedHeader }
            mtime = .value(time)
        default:
            if key.hasPrefix("GNU.sparse.") { try sparse.set(key.dropFirst(11), value) }
        }
    }

    private static func name(_ value: [UInt8]) throws(TarFault) -> PaxField<[UInt8]> {
        if value.contains(0) { throw .badExtendedHeader }
        return value.isEmpty ? .cleared : .value(value)
    }

    private static func number(_ value: [UInt8]) throws(TarFault) -> PaxField<Int64> {
        if value.isEmpty { return .cleared }
        guard let number = TarNumber.decimal(value) else { throw .badExtendedHeader }
        return .value(number)
    }

    private static func suffix(of key: ArraySlice<UInt8>, behind prefix: StaticString) -> ByteString? {
        // SAFETY: a literal's own bytes.
        let bytes = unsafe UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        guard key.count > bytes.count, unsafe key.starts(with: bytes) else { return nil }
        return ByteString(key.dropFirst(bytes.count))
    }

    /// libarchive writes bytes of an xattr's name that are not plain as `%XX`.
    private static func percentDecoded(_ name: ByteString) throws(TarFault) -> ByteString {
        var result: [UInt8] = []
        var rest = name.bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard rest.count >= 2, let value = UInt8(digits, radix: 16), value != 0 else {
                throw .badExtendedHeader
            }
            result.append(value)
            rest = rest.dropFirst(2)
        }
        return ByteString(result)
    }

    /// Base64 (RFC 4648 section 4) with or without padding.
    private static func base64Decoded(_ text: [UInt8]) throws(TarFault) -> [UInt8] {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="), UInt8(ascii: "\n"): continue
            default: throw .badExtendedHeader
            }
            bits = (bits << 6 | UInt32(value)) & 0xFF_FFFF
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
