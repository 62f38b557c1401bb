import Foundation
import LaminaCodec
import LaminaCore
import Testing

@testable import LaminaIndex

@Suite struct ChainMergeTests {
    func layer(_ id: UInt8, _ fill: (inout TestLayer) -> Void) -> TestLayer {
        var layer = TestLayer(id)
        fill(&layer)
        return layer
    }

    func merged(_ layers: TestLayer...) throws -> [String] {
        try withChain(layers) { try describe(try openTree($0)) }
    }

    @Test func upperNamesWinAndDirectoriesMerge() throws {
        let low = layer(1) {
            $0.directory("", permissions: 0o711)
            $0.directory("d", permissions: 0o700)
            $0.file("d/a", block: 1)
            $0.file("d/b", block: 2)
            $0.file("f", block: 3)
        }
        let high = layer(2) {
            $0.directory("d", permissions: 0o750)
            $0.file("d/b", block: 4)
            $0.file("d/c", block: 5)
        }
        #expect(
            try merged(low, high) == [
                "/ 40711 3", "/d 40750 2", "/d/a 100644 1 0:1+10", "/d/b 100644 1 1:4+10",
                "/d/c 100644 1 1:5+10",
                "/f 100644 1 0:3+10",
            ])
    }

    @Test func whiteoutsAndOpaqueDirectoriesHide() throws {
        let low = layer(1) {
            $0.directory("gone")
            $0.file("gone/x")
            $0.directory("opaque", permissions: 0o700)
            $0.file("opaque/old")
            $0.directory("anew", permissions: 0o700)
            $0.file("anew/old")
            $0.file("f")
        }
        let high = layer(2) {
            $0.whiteout(".wh.gone")
            $0.file("opaque/new", block: 2)
            $0.whiteout("opaque/.wh..wh..opq")
            $0.file("anew/new", block: 3)
            $0.whiteout(".wh.anew")
            $0.whiteout(".wh.never")
        }
        // The marker leaves its directory's attributes; a whiteout takes them away.
        #expect(
            try merged(low, high) == [
                "/ 40755 4", "/anew 40755 2", "/anew/new 100644 1 1:3+10", "/f 100644 1 0:1+10",
                "/opaque 40700 2",
                "/opaque/new 100644 1 1:2+10",
            ])
        let highest = layer(3) { $0.file("gone/y", block: 4) }
        #expect(try merged(low, high, highest).contains("/gone/y 100644 1 2:4+10"))
        #expect(try !merged(low, high, highest).contains { $0.hasPrefix("/gone/x") })
    }

    @Test func impliedDirectoriesKeepLowerAttributes() throws {
        let low = layer(1) { $0.directory("d", permissions: 0o2770, attributes: ["user.k": "v"]) }
        let high = layer(2) { $0.file("d/e/f", block: 2) }
        #expect(
            try merged(low, high) == [
                "/ 40755 3", "/d 42770 3 user.k=v", "/d/e 40755 2", "/d/e/f 100644 1 1:2+10",
            ])
        #expect(
            try merged(high, low) == [
                "/ 40755 3", "/d 42770 3 user.k=v", "/d/e 40755 2", "/d/e/f 100644 1 0:2+10",
            ])
    }

    @Test func typesChange() throws {
        let low = layer(1) {
            $0.file("a")
            $0.directory("b")
            $0.file("b/x")
            $0.symlink("c", to: "b")
        }
        let high = layer(2) {
            $0.directory("a")
            $0.file("a/y", block: 2)
            $0.file("b", block: 3)
            $0.file("c/z", block: 4)
        }
        #expect(
            try merged(low, high) == [
                "/ 40755 4", "/a 40755 2", "/a/y 100644 1 1:2+10", "/b 100644 1 1:3+10", "/c 40755 2",
                "/c/z 100644 1 1:4+10",
            ])
        let highest = layer(3) { $0.directory("b") }
        #expect(try merged(low, high, highest).contains("/b 40755 2"))
        #expect(try !merged(low, high, highest).contains { $0.hasPrefix("/b/x") })
    }

    @Test func hardLinkGroupsShrink() throws {
        let low = layer(1) {
            $0.file("a", block: 7)
            $0.hardLink("b", to: "a")
            $0.hardLink("c", to: "a")
        }
        let high = layer(2) { $0.file("b", block: 8) }
        #expect(
            try merged(low, high) == [
                "/ 40755 2", "/a 100644 2 0:7+10", "/b 100644 1 1:8+10", "/c 100644 2 0:7+10",
            ])
    }

    @Test func hardLinksReachLowerLayers() throws {
        let low = layer(1) {
            $0.file("d/a", block: 7)
            $0.file("d/hidden", block: 8)
            $0.symlink("d/l", to: "x")
        }
        let middle = layer(2) {
            $0.hardLink("b", to: "d/a")
            $0.hardLink("m", to: "d/l")
        }
        let high = layer(3) {
            $0.hardLink("c", to: "b")
            $0.hardLink("d/kept", to: "d/hidden")
            $0.whiteout("d/.wh.hidden")
        }
        #expect(
            try merged(low, middle, high) == [
                "/ 40755 3", "/b 100644 3 0:7+10", "/c 100644 3 0:7+10", "/d 40755 2", "/d/a 100644 3 0:7+10",
                "/d/kept 100644 1 0:8+10", "/d/l 120777 2 -> x", "/m 120777 2 -> x",
            ])
    }

    @Test func refusesHardLinksToNothing() throws {
        let low = layer(1) { $0.directory("d") }
        let high = layer(2) { $0.hardLink("a", to: "d/none") }
        #expect(throws: IndexError.missingLinkTarget(path: "a", target: "d/none")) { try merged(low, high) }
        let toDirectory = layer(3) { $0.hardLink("x/a", to: "d") }
        #expect(throws: IndexError.missingLinkTarget(path: "x/a", target: "d")) {
            try merged(low, toDirectory)
        }
    }

    @Test func aChainStandsForItsLayers() throws {
        let low = layer(1) {
            $0.file("a", block: 1); $0.file("b", block: 2)
        }
        let middle = layer(2) { $0.file("b", block: 3) }
        let high = layer(3) {
            $0.whiteout(".wh.a"); $0.file("c", block: 4)
        }
        let expected = try withChain([low, middle, high]) { try [UInt8](Data(contentsOf: URL(filePath: $0))) }
        try withScratch { scratch in
            try low.write(to: scratch + "/1")
            try middle.write(to: scratch + "/2")
            try high.write(to: scratch + "/3")
            let two = [SharedTree(try openTree(scratch + "/1")), SharedTree(try openTree(scratch + "/2"))]
            try ChainMerge.write(two, to: try createFile(scratch + "/12"))
            let chain = [SharedTree(try openTree(scratch + "/12")), SharedTree(try openTree(scratch + "/3"))]
            try ChainMerge.write(chain, to: try createFile(scratch + "/123"))
            #expect(try [UInt8](Data(contentsOf: URL(filePath: scratch + "/123"))) == expected)
        }
    }

    @Test func countsLayers() throws {
        #expect(throws: IndexError.layerCount(0)) { try merged() }
        let many = try withScratch { scratch in
            try layer(1) { $0.file("a") }.write(to: scratch + "/1")
            let shared = SharedTree(try openTree(scratch + "/1"))
            let most = Array(repeating: shared, count: Limits.layersPerImage)
            try ChainMerge.write(most, to: try createFile(scratch + "/chain"))
            #expect(try openTree(scratch + "/chain").devices.count == Limits.layersPerImage)
            return most + [shared]
        }
        try withScratch { scratch in
            let file = try createFile(scratch + "/chain")
            #expect(throws: IndexError.layerCount(513)) { try ChainMerge.write(many, to: file) }
        }
    }
}
