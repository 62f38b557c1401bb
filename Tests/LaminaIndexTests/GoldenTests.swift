// The same tree gives the same bytes, in every run and on every machine. A change of
// these digests is a change of the format, and old and new stores then differ.

import Foundation
import LaminaCore
import LaminaTestSupport
import Testing

@testable import LaminaIndex

@Suite struct GoldenTests {
    private func digest(of path: String) throws -> String {
        sha256([UInt8](try Data(contentsOf: URL(filePath: path)))).hex
    }

    private func digest(of layer: TestLayer) throws -> String {
        try withScratch { scratch in
            try layer.write(to: scratch + "/index")
            return try digest(of: scratch + "/index")
        }
    }

    @Test func emptyLayer() throws {
        let found = try digest(of: TestLayer(0))
        #expect(found == "442a138d3c3092d8f40bd63c12ac560675e684b1d8ea5f47d87b9d9d9e35fbbd")
    }

    @Test func layerOfEverything() throws {
        let found = try digest(of: SampleLayer(id: 1, seed: 1).layer)
        #expect(found == "ec1231973ecd0256c7c726c1e1019cdde08e88792b4c5fc2c17fcb660f5bd7c3")
    }

    @Test func chain() throws {
        let layers = [SampleLayer(id: 1, seed: 1).layer, SampleLayer(id: 2, seed: 2).layer]
        let found = try withChain(layers) { try digest(of: $0) }
        #expect(found == "70d6d6e65b563c16d3135d44a07048e7e571eb268536e6cc35b9ee656e5e157e")
    }

    @Test func orderOfTheTarDoesNotMatter() throws {
        var layer = TestLayer(1)
        for number in 0..<500 { layer.file(ByteString("d\(number % 7)/f\(number)"), block: UInt64(number)) }
        var shuffled = layer
        shuffled.entries.reverse()
        #expect(try digest(of: layer) == digest(of: shuffled))
    }
}
