// CommaSeparated owns the way in which `--mount` is cut into fields: one record of RFC 4180, as Go's
// encoding/csv reads it for Docker.

import LaminaCore

enum CommaSeparated {
    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")

    /// The fields of one record. A field in quotes may hold commas, line breaks and, doubled, quotes.
    /// O(bytes).
    ///
    /// Refused, with encoding/csv's own words: a quote in a field without quotes, and one that does
    /// not end its field. Beyond it: a line break outside quotes, behind which Docker reads nothing.
    static func fields(_ record: ByteString) throws(Refusal) -> [ByteString] {
        let bytes = Array(record.bytes)
        var fields: [ByteString] = []
        var index = 0
        while true {
            let isQuoted = index < bytes.count && bytes[index] == quote
            fields.append(isQuoted ? try quoted(bytes, &index) : try plain(bytes, &index))
            if index >= bytes.count { return fields }
            index += 1
        }
    }

    /// From `index` to the next comma or the end, where `index` then stands.
    private static func plain(_ bytes: [UInt8], _ index: inout Int) throws(Refusal) -> ByteString {
        let field = bytes[index...].prefix { $0 != comma }
        if let bare = field.firstIndex(of: quote) {
            throw Refusal("parse error on line 1, column \(bare + 1): bare \" in non-quoted field")
        }
        if field.contains(UInt8(ascii: "\n")) || field.contains(UInt8(ascii: "\r")) {
            throw Refusal("a line break must stand in quotes")
        }
        index = field.endIndex
        return ByteString(field)
    }

    private static func quoted(_ bytes: [UInt8], _ index: inout Int) throws(Refusal) -> ByteString {
        var field: [UInt8] = []
        var start = index + 1
        while let end = bytes[start...].firstIndex(of: quote) {
            field += bytes[start..<end]
            let next = end + 1
            if next == bytes.count || bytes[next] == comma {
                index = next
                return ByteString(field)
            }
            guard bytes[next] == quote else { throw unclosed(column: next) }
            field.append(quote)
            start = next + 1
        }
        throw unclosed(column: bytes.count + 1)
    }

    private static func unclosed(column: Int) -> Refusal {
        Refusal("parse error on line 1, column \(column): extraneous or missing \" in quoted-field")
    }
}
