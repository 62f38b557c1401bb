// A generated layer as a tar, in ustar with PAX records.

import LaminaCore
import LaminaTestSupport

extension GeneratedLayer {
    /// The layer's tar, with OCI whiteouts.
    public var tar: [UInt8] {
        var builder = TarBuilder()
        for entry in entries where !entry.path.isEmpty {
            Self.add(entry, to: &builder)
            if entry.kind == .directory(opaque: true) {
                Self.add(entry.path.appending(Whiteout.opaqueMarker), type: "0", to: &builder)
            }
        }
        builder.end()
        return builder.bytes
    }

    private static func add(_ entry: GeneratedEntry, to builder: inout TarBuilder) {
        var records = entry.attributes.map { ("SCHILY.xattr.\($0.name)", $0.value) }
        let fraction = String(1_000_000_000 + Int(entry.time.nanoseconds)).dropFirst()
        records.append(("mtime", Array("\(entry.time.seconds).\(fraction)".utf8)))
        builder.addPax(records)
        switch entry.kind {
        case .whiteout:
            let components = entry.path.components
            let parent = components.dropLast().reduce(ByteString()) { $0.appending($1) }
            add(parent.appending(Whiteout.prefix + (components.last ?? "")), type: "0", to: &builder)
        case .directory: add(entry.path, type: "5", entry, to: &builder)
        case .file(let bytes): add(entry.path, type: "0", entry, bytes, to: &builder)
        case .symlink(let target): add(entry.path, type: "2", entry, link: target, to: &builder)
        case .hardLink(let target): add(entry.path, type: "1", entry, link: target, to: &builder)
        case .fifo: add(entry.path, type: "6", entry, to: &builder)
        case .null: add(entry.path, type: "3", entry, to: &builder)
        }
    }

    /// Names are bytes, so they are put into the header past `TarBuilder`'s text.
    private static func add(
        _ path: ByteString, type: Character, _ entry: GeneratedEntry? = nil, _ bytes: [UInt8] = [],
        link: ByteString = "", to builder: inout TarBuilder
    ) {
        builder.add("", type: type, bytes, mode: Int(entry?.permissions ?? 0o644)) { header in
            TarBuilder.put(Array(path.bytes), in: &header, at: 0)
            TarBuilder.put(Array(link.bytes), in: &header, at: 157)
            guard let entry else { return }
            TarBuilder.put(TarBuilder.octal(Int(entry.uid), 7), in: &header, at: 108)
            TarBuilder.put(TarBuilder.octal(Int(entry.gid), 7), in: &header, at: 116)
            TarBuilder.put(TarBuilder.octal(Int(entry.device.major), 7), in: &header, at: 329)
            TarBuilder.put(TarBuilder.octal(Int(entry.device.minor), 7), in: &header, at: 337)
        }
    }
}
