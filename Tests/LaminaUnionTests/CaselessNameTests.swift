import LaminaCore
import Testing

@testable import LaminaUnion

/// Which names are one where case is ignored.
@Suite struct CaselessNameTests {
    private func areOne(_ left: ByteString, _ right: ByteString) -> Bool {
        let forth = right.withSpan { CaselessName(left).matches($0) }
        let back = left.withSpan { CaselessName(right).matches($0) }
        #expect(forth == back, "\(left) and \(right)")
        return forth
    }

    @Test(arguments: [
        ("foo", "FOO"), ("Foo.TXT", "fOO.txt"), ("", ""), ("{}[]@`", "{}[]@`"), ("äöü", "ÄÖÜ"),
        ("ΣΟΦΟΣ", "σοφοσ"),
        ("ς", "Σ"), ("дом", "ДОМ"), ("ÿ", "Ÿ"), ("ɐ", "Ɐ"), ("ß", "ß"), ("straßE", "STRAßE"), ("😀a", "😀A"),
    ])
    func one(_ left: String, _ right: String) {
        #expect(areOne(ByteString(left), ByteString(right)))
    }

    /// Not one: other letters, other lengths, several characters for one, none of ASCII for others, composition.
    @Test(arguments: [
        ("foo", "fo"), ("foo", "foO "), ("[", "{"), ("@", "`"), ("ß", "SS"), ("ß", "ẞ"), ("ı", "I"),
        ("ſ", "s"),
        ("\u{212A}", "k"), ("ä", "a\u{308}"), ("𐐀", "𐐨"), ("a", "ä"), ("ŉ", "ʼN"),
    ])
    func others(_ left: String, _ right: String) {
        #expect(!areOne(ByteString(left), ByteString(right)))
    }

    /// What is no UTF-8 differs by its ASCII letters alone.
    @Test func bytes() {
        let latin: [UInt8] = [0x61, 0xE4, 0xFF]
        #expect(areOne(ByteString(latin), ByteString([0x41, 0xE4, 0xFF])))
        #expect(!areOne(ByteString(latin), ByteString([0x41, 0xC4, 0xFF])))
    }
}
