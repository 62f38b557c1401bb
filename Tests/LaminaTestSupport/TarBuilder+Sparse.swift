// Sparse members for tests, in all of GNU tar's forms.

/// GNU tar's ways to write a sparse file (its manual, "Storing Sparse Files").
public enum SparseForm: CaseIterable, Sendable {
    case oldGnu
    case pax00
    case pax01
    case pax10
}

extension TarBuilder {
    /// A file of `size` bytes with data at these places; all else are holes.
    public mutating func addSparse(
        _ name: String, _ form: SparseForm, size: Int, _ segments: [(offset: Int, bytes: [UInt8])],
        count: Int? = nil
    ) {
        let data = segments.flatMap(\.bytes)
        let numbers = segments.flatMap { [$0.offset, $0.bytes.count] }
        let count = count ?? segments.count
        func text(_ number: Int) -> [UInt8] { Array("\(number)".utf8) }
        switch form {
        case .oldGnu: addOldSparse(name, size: size, numbers, data)
        case .pax00:
            var records = [("GNU.sparse.size", text(size)), ("GNU.sparse.numblocks", text(count))]
            for index in stride(from: 0, to: numbers.count, by: 2) {
                records.append(("GNU.sparse.offset", text(numbers[index])))
                records.append(("GNU.sparse.numbytes", text(numbers[index + 1])))
            }
            addPax(records)
            add(name, data)
        case .pax01:
            addPax([
                ("GNU.sparse.size", text(size)), ("GNU.sparse.numblocks", text(count)),
                ("GNU.sparse.name", Array(name.utf8)),
                ("GNU.sparse.map", Array(numbers.map(String.init).joined(separator: ",").utf8)),
            ])
            add("GNUSparseFile.1/x", data)
        case .pax10:
            addPax([
                ("GNU.sparse.major", text(1)), ("GNU.sparse.minor", text(0)),
                ("GNU.sparse.name", Array(name.utf8)), ("GNU.sparse.realsize", text(size)),
            ])
            var map = Array(([count] + numbers).map { "\($0)\n" }.joined().utf8)
            while map.count % 512 != 0 { map.append(0) }
            add("GNUSparseFile.1/x", map + data)
        }
    }

    /// Four segments in the header, 21 in each block behind it.
    private mutating func addOldSparse(_ name: String, size: Int, _ numbers: [Int], _ data: [UInt8]) {
        func fields(_ part: ArraySlice<Int>) -> [UInt8] { part.flatMap { Self.octal($0, 11) + [0] } }
        add(name, type: "S", size: data.count) { header in
            Self.put(Array("ustar  \u{0}".utf8), in: &header, at: 257)
            Self.put(fields(numbers.prefix(8)), in: &header, at: 386)
            header[482] = numbers.count > 8 ? 1 : 0
            Self.put(Self.octal(size, 11), in: &header, at: 483)
        }
        var rest = numbers.dropFirst(8)
        while !rest.isEmpty {
            var block = fields(rest.prefix(42))
            block += [UInt8](repeating: 0, count: 512 - block.count)
            rest = rest.dropFirst(42)
            block[504] = rest.isEmpty ? 0 : 1
            addRaw(block)
        }
        addRaw(data)
        pad()
    }
}
