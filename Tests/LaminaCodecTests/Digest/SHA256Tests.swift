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

    /// Two hashes that take the same bytes are what they are one by one, wherever each stands.
    @Test(arguments: [(0, 0), (0, 64), (512, 0), (1, 0), (0, 63), (7, 7), (64, 128)])
    func takesBytesTogetherAsOneByOne(_ before: Int, _ otherBefore: Int) {
        for count in [0, 1, 63, 64, 65, 127, 128, 4096, 65_536 + 17] {
            let head = noise(before, seed: 1)
            let otherHead = noise(otherBefore, seed: 2)
            // Not aligned in memory either.
            let memory = noise(count + 3, seed: UInt64(count))
            let tail = noise(100, seed: 3)
            var hash = SHA256()
            var other = SHA256()
            hash.update(head.raw)
            other.update(otherHead.raw)
            hash.update(memory.span.extracting(3...).raw, with: &other)
            hash.update(tail.raw)
            let digests = [hash.finish(), other.finish()]
            #expect(digests == [sha256(head + memory[3...] + tail), sha256(otherHead + memory[3...])])
        }
    }

    /// The length in bits fills more than one word.
    @Test func countsBeyondFourGibibits() {
        let piece = noise(1 << 20, seed: 4)
        var alone = SHA256()
        var hash = SHA256()
        var other = SHA256()
        for _ in 0..<520 {
            alone.update(piece.raw)
            hash.update(piece.raw, with: &other)
        }
        let digests = [alone.finish(), hash.finish(), other.finish()]
        #expect(Set(digests).count == 1)
    }
}
