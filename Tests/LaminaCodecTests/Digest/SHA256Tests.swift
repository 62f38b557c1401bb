import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

@Suite struct SHA256Tests {
    @Test func hashesKnownTexts() {
        // FIPS 180-4's own examples.
        #expect(
            sha256(Array("abc".utf8)).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            sha256([UInt8]()).hex
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func startsAnewAfterEachDigest() {
        var hash = SHA256()
        hash.update([1].raw)
        hash.update([2].raw)
        #expect(hash.finishAndReset() == sha256([1, 2]))
        hash.update([3].raw)
        #expect(hash.finish() == sha256([3]))
    }
}
