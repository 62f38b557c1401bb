// TarHeaderWriter owns how an entry is written down: one ustar header, and before it an extended one only
// for what does not fit. The same entry gives the same bytes, always: no clock, user or process name in it.

import LaminaCore

/// Writes headers of a layer's tar (POSIX.1-2017 `pax`; GNU tar manual, "Storing Sparse Files", version 1.0).
public enum TarHeaderWriter {
    /// What stands behind the last entry: two blocks of zeros.
    public static let end = [UInt8](repeating: 0, count: 1024)

    /// Zeros behind a payload of `size` bytes.
    public static func padding(behind size: UInt64) -> Int { Int((512 - size % 512) % 512) }

    /// The blocks before the payload of `entry`; of a sparse file its map too. The payload has `entry.size`
    /// bytes, of a sparse file those of its segments. O(bytes of the result).
    public static func header(of entry: TarEntry) -> [UInt8] {
        var records = PaxRecordWriter()
        var fields = HeaderFields()
        fields.name = Self.name(entry, &records)
        switch entry.kind {
        case .symlink(let target), .hardLink(let target):
            fields.link = Array(target.bytes.prefix(HeaderFields.nameLength))
            if target.count > HeaderFields.nameLength { records.add("linkpath", Array(target.bytes)) }
        case .file, .directory, .device, .fifo: break
        }
        let map = entry.sparse.map(Self.encoded) ?? []
        fields.type = Self.type(entry)
        fields.mode = UInt64(entry.attributes.permissions)
        let size = (entry.sparse?.dataSize ?? entry.size) &+ UInt64(map.count)
        fields.size = Self.number(size, HeaderFields.sizeLimit, "size", &records)
        fields.uid = Self.number(UInt64(entry.attributes.uid), HeaderFields.ownerLimit, "uid", &records)
        fields.gid = Self.number(UInt64(entry.attributes.gid), HeaderFields.ownerLimit, "gid", &records)
        fields.device = entry.attributes.device
        fields.time = Self.time(entry.attributes.mtime, &records)
        if entry.sparse != nil { records.addSparse(entry.path, size: entry.sparse?.size ?? 0) }
        for attribute in entry.extendedAttributes {
            records.add(ByteString("SCHILY.xattr.") + attribute.name, attribute.value)
        }
        return records.block(for: entry.path) + fields.encoded + map
    }

    private static func name(_ entry: TarEntry, _ records: inout PaxRecordWriter) -> [UInt8] {
        var path = entry.path.isEmpty ? [UInt8(ascii: ".")] : Array(entry.path.bytes)
        if entry.kind == .directory { path.append(UInt8(ascii: "/")) }
        // A sparse file's own name is in its records: readers without them must not overwrite a file.
        if entry.sparse != nil {
            path = Array("GNUSparseFile.0/".utf8) + (entry.path.components.last.map { Array($0.bytes) } ?? [])
        } else if path.count > HeaderFields.nameLength {
            records.add("path", path)
        }
        return Array(path.prefix(HeaderFields.nameLength))
    }

    private static func type(_ entry: TarEntry) -> UInt8 {
        switch entry.kind {
        case .file: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symlink: UInt8(ascii: "2")
        case .device:
            entry.attributes.type == .characterDevice ? UInt8(ascii: "3") : UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }

    /// The field's number; one that is too large stands in a record, and the field is 0.
    private static func number(
        _ value: UInt64, _ limit: UInt64, _ key: ByteString, _ records: inout PaxRecordWriter
    ) -> UInt64 {
        if value <= limit { return value }
        records.add(key, Array("\(value)".utf8))
        return 0
    }

    private static func time(_ time: Timestamp, _ records: inout PaxRecordWriter) -> UInt64 {
        let seconds = UInt64(exactly: time.seconds).flatMap { $0 <= HeaderFields.sizeLimit ? $0 : nil }
        if let seconds, time.nanoseconds == 0 { return seconds }
        records.add("mtime", Array(Self.decimal(time).utf8))
        return seconds ?? 0
    }

    /// Seconds with as many digits behind the point as it needs.
    static func decimal(_ time: Timestamp) -> String {
        let isNegative = time.seconds < 0
        // -1.5 is 2 seconds before the epoch and half a second behind that.
        let borrows = isNegative && time.nanoseconds > 0
        let whole = (borrows ? time.seconds &+ 1 : time.seconds).magnitude
        let nanoseconds = borrows ? 1_000_000_000 - time.nanoseconds : time.nanoseconds
        var text = (isNegative ? "-" : "") + "\(whole)"
        if nanoseconds > 0 {
            let digits = "\(nanoseconds)"
            var fraction = String(repeating: "0", count: max(9 - digits.count, 0)) + digits
            while fraction.last == "0" { fraction.removeLast() }
            text += ".\(fraction)"
        }
        return text
    }

    /// The map of a sparse file as its payload begins: decimal lines, filled up to a block.
    private static func encoded(_ map: SparseMap) -> [UInt8] {
        var text = "\(map.segments.count)\n"
        for segment in map.segments { text += "\(segment.lowerBound)\n\(segment.count)\n" }
        let bytes = Array(text.utf8)
        return bytes + [UInt8](repeating: 0, count: padding(behind: UInt64(bytes.count)))
    }
}
