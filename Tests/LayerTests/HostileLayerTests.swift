import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaTestSupport
import Testing

/// Layers made to do harm, and what must happen to each: a refusal that says why and leaves nothing in the
/// store, or a harmless tree.
@Suite struct HostileLayerTests {
    struct Case: CustomStringConvertible, Sendable {
        var name: String
        /// Nil: it is stored, and the tar comes back.
        var refusal: CodecError?
        var tar: [UInt8]
        var description: String { name }
    }

    private static func one(
        _ name: String, type: Character = "0", link: String = "", _ payload: [UInt8] = [],
        pax: [(String, [UInt8])] = [], edit: (inout [UInt8]) -> Void = { _ in }
    ) -> [UInt8] {
        var tar = TarBuilder()
        if !pax.isEmpty { tar.addPax(pax) }
        tar.add(name, type: type, payload, link: link, edit: edit)
        return tar.bytes
    }

    private static func raw(_ pax: String, type: Character = "x") -> [UInt8] {
        one("pax", type: type, Array(pax.utf8)) + one("name")
    }

    private static func field(_ bytes: [UInt8], at offset: Int) -> [UInt8] {
        one("number") { TarBuilder.put(bytes, in: &$0, at: offset) }
    }

    static let names: [Case] = [
        Case(name: "parent", refusal: .layer(.parentReference("../etc/passwd")), tar: one("../etc/passwd")),
        Case(name: "parent inside", refusal: .layer(.parentReference("a/../../b")), tar: one("a/../../b")),
        Case(name: "parent behind", refusal: .layer(.parentReference("a/..")), tar: one("a/..", type: "5")),
        Case(name: "absolute", refusal: .layer(.absoluteName("/etc/passwd")), tar: one("/etc/passwd")),
        Case(name: "absolute twice", refusal: .layer(.absoluteName("//etc")), tar: one("//etc")),
        Case(
            name: "parent in PAX", refusal: .layer(.parentReference("../x")),
            tar: one("x", pax: [("path", Array("../x".utf8))])),
        Case(
            name: "parent in a GNU name", refusal: .layer(.parentReference("../x")),
            tar: one("long", type: "L", Array("../x".utf8) + [0]) + one("x")),
        Case(
            name: "parent in GNU sparse", refusal: .layer(.parentReference("../x")),
            tar: one(
                "x",
                pax: ["name": "../x", "size": "0", "numblocks": "0"].sorted { $0.key < $1.key }.map {
                    ("GNU.sparse.\($0.key)", Array($0.value.utf8))
                })),
        Case(
            name: "NUL in PAX", refusal: .tar(.badExtendedHeader, offset: 0),
            tar: one("x", pax: [("path", [97, 0, 98])])),
        Case(name: "no name", refusal: .layer(.emptyName), tar: one("")),
        Case(name: "root as a file", refusal: .layer(.emptyName), tar: one("./.")),
        Case(name: "dots", refusal: nil, tar: one(".../..a/b..", [1])),
        Case(name: "newlines and escapes", refusal: nil, tar: one("a\n\u{1B}[31m\\", [1])),
        Case(
            name: "path bomb", refusal: .layer(.pathTooLong(ByteString(repeatElement(97, count: 64)))),
            tar: one("x", pax: [("path", [UInt8](repeating: 97, count: 500_000))])),
        Case(
            name: "depth bomb",
            refusal: .layer(.pathTooDeep(ByteString(String(repeating: "a/", count: 2001)))),
            tar: one("x", pax: [("path", Array(String(repeating: "a/", count: 2001).utf8))])),
    ]

    static let links: [Case] = [
        Case(
            name: "hard link out", refusal: .layer(.parentReference("../../etc/shadow")),
            tar: one("x", type: "1", link: "../../etc/shadow")),
        Case(
            name: "absolute hard link", refusal: .layer(.absoluteName("/etc/shadow")),
            tar: one("x", type: "1", link: "/etc/shadow")),
        Case(
            name: "hard link to itself", refusal: .layer(.hardLinkToItself("x")),
            tar: one("x", type: "1", link: "./x")),
        Case(name: "hard link to nothing", refusal: .layer(.emptyLinkTarget("x")), tar: one("x", type: "1")),
        Case(
            name: "hard link to a directory", refusal: .layer(.hardLinkToDirectory(path: "x", target: "d")),
            tar: one("d", type: "5") + one("x", type: "1", link: "d")),
        Case(
            name: "hard link through a symlink",
            refusal: .layer(.parentIsSymlink(path: "s/passwd", parent: "s")),
            tar: one("s", type: "2", link: "/etc") + one("x", type: "1", link: "s/passwd")),
        Case(name: "symlink out", refusal: nil, tar: one("x", type: "2", link: "../../../../etc/shadow")),
        Case(name: "symlink to itself", refusal: nil, tar: one("x", type: "2", link: "x")),
        Case(
            name: "file through a symlink", refusal: .layer(.parentIsSymlink(path: "s/passwd", parent: "s")),
            tar: one("s", type: "2", link: "/etc") + one("s/passwd", [1])),
        Case(
            name: "file through a file", refusal: .layer(.parentNotDirectory(path: "f/x", parent: "f")),
            tar: one("f") + one("f/x")),
        Case(
            name: "long symlink", refusal: .layer(.symlinkTargetTooLong("x")),
            tar: one("x", type: "2", pax: [("linkpath", [UInt8](repeating: 97, count: 4096))])),
        Case(
            name: "device number", refusal: .layer(.badDevice("x")),
            tar: one("x", type: "3") { TarBuilder.put(TarBuilder.octal(4096, 7), in: &$0, at: 329) }),
    ]

    static let whiteouts: [Case] = [
        Case(name: "whiteout of ..", refusal: .layer(.badWhiteout(".wh...")), tar: one(".wh...")),
        Case(name: "whiteout of .", refusal: .layer(.badWhiteout("d/.wh..")), tar: one("d/.wh..")),
        Case(name: "whiteout of nothing", refusal: .layer(.badWhiteout(".wh.")), tar: one(".wh.")),
        Case(name: "in a whiteout", refusal: .layer(.badWhiteout(".wh.d/x")), tar: one(".wh.d/x")),
        Case(
            name: "whiteout through a symlink",
            refusal: .layer(.parentIsSymlink(path: "s/.wh.passwd", parent: "s")),
            tar: one("s", type: "2", link: "/etc") + one("s/.wh.passwd")),
        Case(name: "whiteout of a whiteout", refusal: nil, tar: one(".wh..wh.x")),
        Case(name: "opaque root", refusal: nil, tar: one(".wh..wh..opq")),
    ]

    static let numbers: [Case] = [
        Case(
            name: "size 2^63 by PAX", refusal: .tar(.badExtendedHeader, offset: 0),
            tar: raw("28 size=9223372036854775808\n")),
        Case(
            name: "size 2^63 - 1 by PAX", refusal: .tar(.truncatedPayload, offset: 1024),
            tar: raw("28 size=9223372036854775807\n")),
        Case(
            name: "negative size by PAX", refusal: .tar(.numberOutOfRange, offset: 1024),
            tar: raw("11 size=-1\n")),
        Case(
            name: "size 2^63 - 1 in base 256", refusal: .tar(.truncatedPayload, offset: 0),
            tar: field([0x80, 0, 0, 0, 0x7F] + [UInt8](repeating: 0xFF, count: 7), at: 124)),
        Case(
            name: "size 2^63 in base 256", refusal: .tar(.numberOutOfRange, offset: 0),
            tar: field([0x80, 0, 0, 0, 0x80] + [UInt8](repeating: 0, count: 7), at: 124)),
        Case(
            name: "negative size in base 256", refusal: .tar(.numberOutOfRange, offset: 0),
            tar: field([UInt8](repeating: 0xFF, count: 12), at: 124)),
        Case(
            name: "uid beyond 32 bits", refusal: .tar(.numberOutOfRange, offset: 0),
            tar: field([0x80, 0, 0, 1, 0, 0, 0, 0], at: 108)),
        Case(name: "no digits", refusal: .tar(.badNumber, offset: 0), tar: field(Array("0x1".utf8), at: 124)),
        Case(
            name: "huge extended header", refusal: .tar(.extendedHeaderTooLarge, offset: 0),
            tar: one("x", type: "x", size: 1 << 33)),
        Case(
            name: "huge volume label", refusal: nil,
            tar: one("V", type: "V", size: (1 << 33) - 1)),
    ]

    private static func one(_ name: String, type: Character, size: Int) -> [UInt8] {
        var tar = TarBuilder()
        tar.add(name, type: type, size: size)
        return tar.bytes
    }

    static let records: [Case] = [
        ("longer than the header", "99 path=abc\n"), ("shorter than it is", "11 path=abc\n"),
        ("of length 0", "0 path=abc\n"), ("negative", "-12 path=abc\n"),
        ("too long a length", "99999999999 a=b\n"),
        ("without a key", "5 =a\n"), ("without a newline", "12 path=abcd"), ("without a value", "3 \n"),
    ].map { Case(name: "record \($0.0)", refusal: .tar(.badExtendedHeader, offset: 0), tar: raw($0.1)) }

    @Test(arguments: names + links + whiteouts + numbers + records)
    func isRefusedOrHarmless(_ hostile: Case) throws {
        guard let expected = hostile.refusal else {
            let layer = try StoredLayer(hostile.tar)
            #expect(try layer.tar() == hostile.tar)
            return
        }
        #expect(try StoredLayer.refusal(of: hostile.tar) == .layer(expected))
        #expect(try StoredLayer.refusal(of: compress(hostile.tar, .zstd)) == .layer(expected))
    }
}
