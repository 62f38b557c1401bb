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
        #expect(found == "84b7be26ff253cc018644310c3be4381465abab1aa9a9662c6ee90da0317a737")
    }

    @Test func layerOfEverything() throws {
        let found = try digest(of: SampleLayer(id: 1, seed: 1).layer)
        #expect(found == "d371fa3b93cfbb56d3f06b6bcb2b5f7d3a11c217c89fcb455dab425f5a52e2ef")
    }

    @Test func chain() throws {
        let layers = [SampleLayer(id: 1, seed: 1).layer, SampleLayer(id: 2, seed: 2).layer]
        let found = try withChain(layers) { try digest(of: $0) }
        #expect(found == "1dd19d823796ad01a85ca30ec42e42e7de52b9807a3c293afff73c454a522de3")
    }

    @Test func orderOfTheTarDoesNotMatter() throws {
        var layer = TestLayer(1)
        for number in 0..<500 { layer.file(ByteString("d\(number % 7)/f\(number)"), block: UInt64(number)) }
        var shuffled = layer
        shuffled.entries.reverse()
        #expect(try digest(of: layer) == digest(of: shuffled))
    }
}
