// PaxRecordWriter owns the extended header of one entry while it is written.

import LaminaCore

/// Records in the order in which they were added.
struct PaxRecordWriter {
    private var payload: [UInt8] = []
    private var isText = true

    mutating func add(_ key: ByteString, _ value: [UInt8]) {
        // Names of files are bytes; the standard wants to be told where they are no UTF-8.
        if key == "path" || key == "linkpath" || key == "GNU.sparse.name" {
            isText = isText && String(validating: value, as: UTF8.self) != nil
        }
        payload += Self.record(key, value)
    }

    mutating func addSparse(_ path: ByteString, size: UInt64) {
        add("GNU.sparse.major", Array("1".utf8))
        add("GNU.sparse.minor", Array("0".utf8))
        add("GNU.sparse.name", Array(path.bytes))
        add("GNU.sparse.realsize", Array("\(size)".utf8))
    }

    /// The extended header's blocks; none without a record.
    func block(for path: ByteString) -> [UInt8] {
        if payload.isEmpty { return [] }
        let all = (isText ? [] : Self.record("hdrcharset", Array("BINARY".utf8))) + payload
        var fields = HeaderFields()
        let last = path.components.last.map { Array($0.bytes) } ?? []
        fields.name = Array((Array("PaxHeaders.0/".utf8) + last).prefix(HeaderFields.nameLength))
        fields.type = UInt8(ascii: "x")
        fields.mode = 0o644
        fields.size = UInt64(all.count)
        let padding = TarHeaderWriter.padding(behind: UInt64(all.count))
        return fields.encoded + all + [UInt8](repeating: 0, count: padding)
    }

    /// `LENGTH KEY=VALUE\n`, the length counting its own digits.
    private static func record(_ key: ByteString, _ value: [UInt8]) -> [UInt8] {
        let body = [UInt8(ascii: " ")] + Array(key.bytes) + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
        var length = body.count + 1
        while "\(length)".utf8.count + body.count != length { length += 1 }
        return Array("\(length)".utf8) + body
    }
}
