import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Several processes at one store: each succeeds, and everything is there once and whole.
@Suite struct ConcurrencyTests {
    private let image = TestImage(
        (0..<4).map { number in
            var tar = TarBuilder()
            tar.add("shared", noise(100_000, seed: 77))
            tar.add("own", noise(200_000, seed: UInt64(number)))
            tar.end()
            return TestImage.Layer(tar.bytes, number % 2 == 0 ? .gzip : .zstd)
        })

    /// What a store has that loaded the image once.
    private func files(of layout: String) throws -> [String] {
        let lamina = try LaminaProgram()
        try lamina.lines("load", "-q", "-i", layout)
        return try lamina.storeFiles()
    }

    private func expectWhole(_ lamina: LaminaProgram, _ files: [String]) throws {
        #expect(try lamina.storeFiles() == files)
        #expect(try lamina.lines("images", "-q").count == 1)
        #expect(try lamina.lines("verify").count == 1)
        #expect(try lamina.lines("prune").last == "Total reclaimed space: 0B")
        #expect(try lamina.storeFiles() == files)
    }

    @Test func loadsOfOneImageStoreItOnce() throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(image.layout)
        let files = try files(of: layout)
        for _ in 0..<20 {
            let loads = try (0..<3).map { _ in try lamina.start(["load", "-q", "-i", layout]) }
            for load in loads { #expect(try Spawn.wait(for: load) == 0) }
            try expectWhole(lamina, files)
            try lamina.lines("rmi", "image")
            try lamina.lines("prune")
            #expect(try lamina.storeFiles() == [])
        }
    }

    @Test func aKilledLoadDoesNotHinderAnother() throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(image.layout)
        let files = try files(of: layout)
        for round in 0..<20 {
            let doomed = try lamina.start(["load", "-q", "-i", layout])
            let other = try lamina.start(["load", "-q", "-i", layout])
            usleep(UInt32(round) * 3_000)
            kill(doomed, SIGKILL)
            _ = try Spawn.wait(for: doomed)
            #expect(try Spawn.wait(for: other) == 0)
            // What the dead one left in its own directory is the next load's to remove.
            try lamina.lines("load", "-q", "-i", layout)
            try expectWhole(lamina, files)
            try lamina.lines("prune", "--all")
            #expect(try lamina.storeFiles() == [])
        }
    }

    @Test func loadsBesidePrunes() throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(image.layout)
        let files = try files(of: layout)
        for _ in 0..<20 {
            let verbs = [
                ["load", "-q", "-i", layout], ["prune"], ["load", "-q", "-i", layout], ["prune"],
            ]
            let all = try verbs.map { try lamina.start($0) }
            for process in all { #expect(try Spawn.wait(for: process) == 0) }
            try expectWhole(lamina, files)
            try lamina.lines("prune", "--all")
        }
        #expect(try lamina.storeFiles() == [])
    }

    /// All of them make the store and its catalogue.
    @Test func firstCommandsAtOnce() throws {
        for _ in 0..<20 {
            let lamina = try LaminaProgram(inMemory: true)
            let all = try (0..<4).map { _ in try lamina.start(["images"]) }
            for process in all { #expect(try Spawn.wait(for: process) == 0) }
        }
    }

    /// A load that fails takes nothing away that another one relies on.
    @Test func aFailingLoadBesideAGoodOne() throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(image.layout)
        var image = self.image
        image.layers[3].diffID = sha256([1])
        let bad = try lamina.layout(image.layout, named: "bad")
        let files = try files(of: layout)
        for _ in 0..<20 {
            let all = try [bad, layout, bad].map { try lamina.start(["load", "-q", "-i", $0]) }
            let codes = try all.map { try Spawn.wait(for: $0) }
            #expect(codes == [2, 0, 2])
            try lamina.lines("prune")
            try expectWhole(lamina, files)
            try lamina.lines("prune", "--all")
        }
    }
}
