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
        #expect(try digest(of: TestLayer(0)) == "")
    }

    @Test func layerOfEverything() throws {
        #expect(try digest(of: SampleLayer(id: 1, seed: 1).layer) == "")
    }

    @Test func chain() throws {
        let layers = [SampleLayer(id: 1, seed: 1).layer, SampleLayer(id: 2, seed: 2).layer]
        #expect(try withChain(layers) { try digest(of: $0) } == "")
    }

    @Test func orderOfTheTarDoesNotMatter() throws {
        var layer = TestLayer(1)
        for number in 0..<500 { layer.file(ByteString("d\(number % 7)/f\(number)"), block: UInt64(number)) }
        var shuffled = layer
        shuffled.entries.reverse()
        #expect(try digest(of: layer) == digest(of: shuffled))
    }
}
