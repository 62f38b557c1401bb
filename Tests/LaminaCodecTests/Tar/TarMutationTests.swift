import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

/// Damaged tars, the same ones in every run: each is read or refused, never a trap, and what
/// is read says the same in any chunks.
@Suite struct TarMutationTests {
    private func seedTar() -> [UInt8] {
        var tar = TarBuilder()
        tar.addPax([("comment", [1, 2])], type: "g")
        tar.addPax([
            ("path", Array("a/b".utf8)), ("size", Array("5".utf8)), ("mtime", Array("1.5".utf8)),
            ("SCHILY.xattr.user.x", [0, 255]), ("LIBARCHIVE.xattr.user.%41", Array("AAEC".utf8)),
        ])
        tar.add("f", [1, 2, 3, 4, 5])
        tar.add("long", type: "L", Array(String(repeating: "n/", count: 300).utf8))
        tar.add("d", type: "5")
        tar.add("s", type: "2", link: "t")
        tar.add("h", type: "1", link: "a/b")
        tar.add("c", type: "3")
        tar.end()
        return tar.bytes
    }

    @Test func readsOrRefusesEveryMutation() {
        let seed = seedTar()
        var random = noise(1 << 16, seed: 11).makeIterator()
        var read = 0
        var refused = 0
        for _ in 0..<2000 {
            var tar = seed
            for _ in 0..<3 {
                let place = Int(random.next() ?? 0) << 8 | Int(random.next() ?? 0)
                tar[place % tar.count] = random.next() ?? 0
            }
            // Most damage would end at the checksum: mend all of them.
            for start in stride(from: 0, to: tar.count - 1024, by: 512) where isHeader(tar, at: start) {
                var header = Array(tar[start..<(start + 512)])
                TarBuilder.setChecksum(&header)
                tar.replaceSubrange(start..<(start + 512), with: header)
            }
            let whole = outcome(tar, step: 1 << 20)
            let cut = outcome(tar, step: 100)
            #expect(whole == cut)
            if case .success = whole { read += 1 } else { refused += 1 }
        }
        #expect(read > 100 && refused > 100, "\(read) read, \(refused) refused")
    }

    private func isHeader(_ tar: [UInt8], at start: Int) -> Bool {
        tar[(start + 257)..<(start + 260)].elementsEqual(Array("ust".utf8))
    }

    private func outcome(_ tar: [UInt8], step: Int) -> Result<[TarEntry], CodecError> {
        do throws(CodecError) {
            return .success(try parse(tar, step: step).map(\.entry))
        } catch {
            return .failure(error)
        }
    }
}
