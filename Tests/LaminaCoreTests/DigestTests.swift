import LaminaCore
import Testing

@Suite struct DigestTests {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test func parsesAndPrints() throws {
        let digest = try #require(Digest("sha256:" + empty))
        #expect(digest.hex == empty)
        #expect(digest.description == "sha256:" + empty)
        #expect(Digest(bytes: digest.bytes) == digest)
    }

    @Test(arguments: ["", "sha256:", "sha512:00", "sha256:E3B0", "sha256:zz"])
    func refuses(_ text: String) {
        #expect(Digest(text) == nil)
    }

    @Test func refusesWrongLengths() {
        #expect(Digest(hex: empty.dropLast()) == nil)
        #expect(Digest(hex: empty + "00") == nil)
        #expect(Digest(hex: empty.uppercased()) == nil)
    }
}
