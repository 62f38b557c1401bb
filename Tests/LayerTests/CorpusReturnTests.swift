import Foundation
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaTestSupport
import Testing

/// Every tar of the corpus through the store: what is read comes back bit for bit.
@Suite struct CorpusReturnTests {
    /// Refused by the parser (see `CorpusTests`, which says why) or by the index.
    private static let refused: Set<String> = [
        "go/gnu-sparse-big.tar", "go/issue10968.tar", "go/issue11169.tar", "go/issue12435.tar",
        "go/neg-size.tar",
        "go/pax-bad-hdr-file.tar", "go/pax-bad-hdr-large.tar.bz2", "go/pax-bad-mtime-file.tar",
        "go/pax-nul-path.tar", "go/pax-nul-xattrs.tar", "go/pax-path-hdr.tar", "go/pax-sparse-big.tar",
        "go/writer-big-long.tar", "go/writer-big.tar", "python/recursion.tar",
    ]

    @Test func givesBackWhatItReads() throws {
        var returned = 0
        for file in try Corpus.files() where !Self.refused.contains(file) {
            let blob = try Corpus.read(file)
            let layer: StoredLayer
            do {
                layer = try StoredLayer(blob)
            } catch {
                Issue.record("\(file): \(error)")
                continue
            }
            #expect(layer.summary.blobDigest == sha256(blob), "\(file)")
            let tar = try layer.tar()
            #expect(sha256(tar) == layer.summary.diffID, "\(file)")
            if layer.summary.compression == .none { #expect(tar == blob, "\(file)") }
            returned += 1
        }
        #expect(returned == 36)
    }

    @Test func refusesTheOthers() throws {
        for file in Self.refused {
            #expect(try StoredLayer.refusal(of: Corpus.read(file)) != nil, "\(file)")
        }
    }
}
