// TarBuilder makes tars for tests, well formed unless told otherwise.

/// Appends headers and payloads to a growing tar, in the ustar dialect.
public struct TarBuilder {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// A header, its payload and padding. `edit` may change the header before its checksum is set.
    public mutating func add(
        _ name: String, type: Character = "0", _ payload: [UInt8] = [], link: String = "", mode: Int = 0o644,
        size: Int? = nil, edit: (inout [UInt8]) -> Void = { _ in }
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        Self.put(Array(name.utf8.prefix(100)), in: &header, at: 0)
        Self.put(Self.octal(mode, 7), in: &header, at: 100)
        Self.put(Self.octal(1000, 7), in: &header, at: 108)
        Self.put(Self.octal(100, 7), in: &header, at: 116)
        Self.put(Self.octal(size ?? payload.count, 11), in: &header, at: 124)
        Self.put(Self.octal(1_500_000_000, 11), in: &header, at: 136)
        header[156] = type.asciiValue ?? 0
        Self.put(Array(link.utf8.prefix(100)), in: &header, at: 157)
        Self.put(Array("ustar\u{0}00".utf8), in: &header, at: 257)
        edit(&header)
        Self.setChecksum(&header)
        bytes += header
        addRaw(payload)
        pad()
    }

    /// A PAX header of records given as key and value; `type` x or g.
    public mutating func addPax(_ records: [(String, [UInt8])], type: Character = "x") {
        add("PaxHeaders/x", type: type, records.flatMap { Self.record($0.0, $0.1) })
    }

    public mutating func addRaw(_ raw: [UInt8]) {
        bytes += raw
    }

    public mutating func pad(with byte: UInt8 = 0) {
        while bytes.count % 512 != 0 { bytes.append(byte) }
    }

    public mutating func end() {
        bytes += [UInt8](repeating: 0, count: 1024)
    }

    public static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = body.count + 1
        while "\(length)".utf8.count + body.count != length { length += 1 }
        return Array("\(length)".utf8) + body
    }

    public static func setChecksum(_ header: inout [UInt8]) {
        put([UInt8](repeating: 32, count: 8), in: &header, at: 148)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + [0], in: &header, at: 148)
    }

    public static func put(_ field: [UInt8], in header: inout [UInt8], at offset: Int) {
        header.replaceSubrange(offset..<(offset + field.count), with: field)
    }

    public static func octal(_ value: Int, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(digits - text.count, 0)) + text).utf8)
    }
}

/// Bytes that do not compress and that `seed` decides.
public func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 2 &+ 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
}
