import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

@Suite struct TarFaultTests {
    private func tar(type: Character = "0", _ payload: [UInt8] = [], edit: (inout [UInt8]) -> Void) -> [UInt8]
    {
        var tar = TarBuilder()
        tar.add("name", type: type, payload, edit: edit)
        return tar.bytes
    }

    private func pax(_ payload: String, type: Character = "x") -> [UInt8] {
        var tar = TarBuilder()
        tar.add("pax", type: type, Array(payload.utf8))
        tar.add("name")
        return tar.bytes
    }

    @Test func namesEachFault() {
        var broken = tar { _ in }
        broken[0] ^= 1
        #expect(fault(broken) == .badChecksum)
        #expect(fault(tar { TarBuilder.put(Array("12x".utf8), in: &$0, at: 108) }) == .badNumber)
        #expect(
            fault(tar { TarBuilder.put([UInt8](repeating: 0xFF, count: 12), in: &$0, at: 124) })
                == .numberOutOfRange)
        #expect(
            fault(tar { TarBuilder.put([0xFF, 0, 0, 0, 0, 0, 0, 0], in: &$0, at: 108) }) == .numberOutOfRange)
        #expect(
            fault(tar { TarBuilder.put([0x80] + [UInt8](repeating: 0xFF, count: 11), in: &$0, at: 124) })
                == .numberOutOfRange)
        #expect(
            fault(tar { TarBuilder.put([0x80, 0, 0, 1, 0, 0, 0, 0], in: &$0, at: 108) }) == .numberOutOfRange)
        #expect(fault(tar(type: "S") { _ in }) == .unsupportedSparse)
        #expect(fault(tar(type: "M") { _ in }) == .unsupportedType)
        #expect(fault(Array(tar([1, 2, 3]) { _ in }.prefix(514))) == .truncatedPayload)
        #expect(fault(Array(tar { _ in }.prefix(300))) == .truncatedHeader)
        #expect(fault(Array(pax("12 path=abc\n").prefix(512))) == .truncatedHeader)
        #expect(fault(Array(pax("12 path=abc\n").prefix(1024))) == .danglingExtendedHeader)
        #expect(fault([UInt8](repeating: 0, count: 512) + tar { _ in }) == .loneZeroBlock)
    }

    @Test(arguments: [
        "11 path=abc\n", "13 path=abc\n", "99 path=abc\n", "0 path=abc\n", "-12 path=abc\n", "path=abc\n",
        "12 path+abc\n", "12 path=abcd", " 12 path=abc\n", "99999999999999999999 a=b\n", "3 \n", "5 =a\n",
        "10 size=x\n", "11 size=-x\n", "13 mtime=1.x\n", "13 path=a\u{0}bc\n",
        "33 LIBARCHIVE.xattr.user.%4=AAAA\n",
        "31 LIBARCHIVE.xattr.user.a=A*A\n",
    ])
    func refusesLyingRecords(_ payload: String) {
        #expect(fault(pax(payload)) == .badExtendedHeader)
    }

    @Test func refusesImpossibleValues() {
        #expect(fault(pax("11 size=-1\n")) == .numberOutOfRange)
        #expect(fault(pax("18 uid=4294967296\n")) == .numberOutOfRange)
        #expect(fault(pax("10 gid=-1\n")) == .numberOutOfRange)
        #expect(fault(pax("28 size=9223372036854775807\n")) == .truncatedPayload)
        #expect(fault(pax("29 size=9223372036854775808\n")) == .badExtendedHeader)
    }

    @Test func boundsExtendedHeaders() throws {
        let limits = TarLimits(entries: 3, extendedHeaderSize: 100)
        let large = pax(
            String(
                decoding: TarBuilder.record("path", noise(90, seed: 1).map { $0 % 26 + 97 }), as: UTF8.self))
        #expect(try parse(large, limits: limits).count == 1)
        #expect(throws: CodecError.tar(.extendedHeaderTooLarge, offset: 0)) {
            try parse(large, limits: TarLimits(extendedHeaderSize: 95))
        }
        let global = pax("30 VENDOR.comment=abcdefghijk\n", type: "g")
        #expect(throws: CodecError.layer(.tooManyEntries(limit: 3))) {
            try parse(global + global, limits: limits)
        }
        #expect(throws: CodecError.tar(.extendedHeaderTooLarge, offset: 4608)) {
            try parse(global + global + global + global, limits: TarLimits(extendedHeaderSize: 100))
        }
    }

    @Test func refusesImpossibleAttributes() {
        func attribute(_ name: String, _ size: Int) -> LayerError? {
            var tar = TarBuilder()
            tar.addPax([("SCHILY.xattr." + name, [UInt8](repeating: 1, count: size))])
            tar.add("f")
            return refusal(tar.bytes)
        }
        let long = "user." + String(repeating: "x", count: 251)
        #expect(attribute("user.a", 65_535) == nil)
        #expect(attribute("user.a", 65_536) == .attributeValueTooLong(path: "f", attribute: "user.a"))
        #expect(attribute(long, 1) == .attributeNameTooLong(path: "f", attribute: ByteString(long)))
    }
}
