import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

@Suite struct SparseTests {
    /// 60 segments, so that GNU's old form takes three blocks more.
    private let segments = (0..<60).map {
        (offset: $0 * 3000 + 7, bytes: noise(1 + $0 * 17, seed: UInt64($0)))
    }

    @Test(arguments: SparseForm.allCases, [1, 513, 1 << 20])
    func readsEveryForm(_ form: SparseForm, _ step: Int) throws {
        var tar = TarBuilder()
        tar.addSparse("dir/sparse", form, size: 200_000, segments)
        tar.add("next", [1, 2])
        tar.end()
        let entries = try parse(tar.bytes, step: step)
        #expect(entries.map(\.entry.path) == ["dir/sparse", "next"])
        var wanted = [UInt8](repeating: 0, count: 200_000)
        for segment in segments {
            wanted.replaceSubrange(segment.offset..<segment.offset + segment.bytes.count, with: segment.bytes)
        }
        #expect(entries[0].content == wanted)
        #expect(entries[0].payload == segments.flatMap(\.bytes) && entries[1].payload == [1, 2])
    }

    @Test(arguments: SparseForm.allCases)
    func readsHolesOnly(_ form: SparseForm) throws {
        for (size, segments) in [(100_000, [(100_000, [])]), (0, []), (7, [])] as [(Int, [(Int, [UInt8])])] {
            var tar = TarBuilder()
            tar.addSparse("holes", form, size: size, segments.map { (offset: $0.0, bytes: $0.1) })
            tar.add("next")
            let entries = try parse(tar.bytes)
            #expect(entries.count == 2 && entries[0].entry.sparse?.segments == [])
            #expect(entries[0].entry.sparse?.size == UInt64(size) && entries[0].entry.size == 0)
        }
    }

    @Test(arguments: SparseForm.allCases)
    func refusesMapsThatLie(_ form: SparseForm) {
        func made(_ size: Int, _ segments: [(offset: Int, bytes: [UInt8])], count: Int? = nil) -> TarFault? {
            var tar = TarBuilder()
            tar.addSparse("f", form, size: size, segments, count: count)
            tar.end()
            return fault(tar.bytes)
        }
        #expect(made(10, [(offset: 0, bytes: [1]), (offset: 5, bytes: [2])]) == nil)
        #expect(made(10, [(offset: 5, bytes: [1]), (offset: 0, bytes: [2])]) == .badSparseMap, "order")
        #expect(made(10, [(offset: 0, bytes: [1, 2]), (offset: 1, bytes: [3])]) == .badSparseMap, "overlap")
        #expect(made(10, [(offset: 9, bytes: [1, 2])]) == .badSparseMap, "beyond the end")
        #expect(made(10, [(offset: 11, bytes: [])]) == .badSparseMap, "nothing beyond the end")
        guard form != .oldGnu else { return }
        #expect(made(10, [(offset: 0, bytes: [1])], count: 2) == .badSparseMap, "too many")
        #expect(made(10, [(offset: 0, bytes: [1])], count: 0) == .badSparseMap, "too few")
        #expect(made(10, [(offset: 0, bytes: [1])], count: .max) == .badSparseMap, "overflow")
    }

    @Test(arguments: SparseForm.allCases)
    func boundsSizeAndMap(_ form: SparseForm) throws {
        var tar = TarBuilder()
        tar.addSparse("a", form, size: 600_000, segments)
        tar.addSparse("b", form, size: 400_001, segments)
        #expect(throws: CodecError.layer(.sparseTooLarge("b", limit: 1_000_000))) {
            try parse(tar.bytes, limits: TarLimits(sparseSize: 1_000_000))
        }
        #expect(try parse(tar.bytes, limits: TarLimits(sparseSize: 1_000_001)).count == 2)
        #expect(throws: CodecError.self) { try parse(tar.bytes, limits: TarLimits(extendedHeaderSize: 400)) }
        let large = (0..<100_000).map { (offset: 50_000 * $0, bytes: [UInt8(1)]) }
        var bomb = TarBuilder()
        bomb.addSparse("bomb", form, size: 5_000_000_000, large)
        let isRecord = form == .pax00 || form == .pax01
        #expect(fault(bomb.bytes) == (isRecord ? .extendedHeaderTooLarge : .sparseMapTooLarge))
    }

    @Test func refusesTruncatedMaps() {
        for form in [SparseForm.oldGnu, .pax10] {
            var tar = TarBuilder()
            tar.addSparse("f", form, size: 200_000, segments)
            let map = form == .oldGnu ? 512 : 1536
            for length in [map + 1, map + 512, map + 600] {
                #expect(fault(Array(tar.bytes.prefix(length))) == .truncatedHeader)
            }
        }
    }

    @Test func refusesUnknownVersions() {
        func pax(_ records: [(String, String)], type: Character = "0", header: Character = "x") -> TarFault? {
            var tar = TarBuilder()
            tar.addPax(records.map { ("GNU.sparse." + $0.0, Array($0.1.utf8)) }, type: header)
            tar.add("f", type: type)
            return fault(tar.bytes)
        }
        #expect(pax([("major", "2"), ("minor", "0")]) == .unsupportedSparse)
        #expect(pax([("major", "1")]) == .unsupportedSparse)
        #expect(pax([("major", "1"), ("minor", "0")]) == .badSparseMap)
        #expect(pax([("size", "5"), ("numblocks", "0"), ("future", "x")], header: "g") == .unsupportedSparse)
        #expect(pax([("size", "5"), ("numblocks", "0")], type: "5") == .badSparseMap)
        #expect(pax([("offset", "0"), ("offset", "0")]) == .badSparseMap)
        #expect(pax([("map", "0,,1")]) == .badSparseMap)
        #expect(pax([("size", "-5"), ("numblocks", "0")]) == .badSparseMap)
        // Neither version nor map: a plain file with unknown records.
        #expect(pax([("size", "5"), ("future", "x")]) == nil)
    }
}
