import LaminaCore
import Testing

@Suite struct ByteStringTests {
    @Test func comparesBytesAndNotText() {
        let composed = ByteString([0xC3, 0xA9])
        let decomposed = ByteString([0x65, 0xCC, 0x81])
        #expect(composed != decomposed)
        #expect(ByteString([0xFF]) > ByteString([0x7F]))
        #expect(ByteString("a") < ByteString("ab"))
    }

    @Test func stopsAtNul() {
        #expect(ByteString([0x61, 0, 0x62]) == "a")
    }

    @Test func joinsAndSplitsPaths() {
        #expect(ByteString("a").appending("b") == "a/b")
        #expect(ByteString("/").appending("b") == "/b")
        #expect(ByteString("").appending("b") == "b")
        #expect(ByteString("//a//b/").components == ["a", "b"])
        #expect(ByteString(".wh.x").dropFirst(4) == "x")
    }

    @Test func describesBadBytes() {
        #expect(ByteString([0x61, 0xFF, 0x0A]).description == "a\u{FFFD}\\x0a")
    }
}
