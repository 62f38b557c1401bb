import Foundation
import FuzzTargets
import LaminaCore
import LaminaTestSupport
import Testing

/// The bounded form of `Tools/fuzz`: the kept corpus, and the same mutations in every run. A property that
/// does not hold ends the process.
@Suite struct FuzzTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    private func kept(_ target: FuzzTarget) throws -> [[UInt8]] {
        let directory = Self.corpus.appending(path: target.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: directory.path()).sorted().map {
            try Array(Data(contentsOf: directory.appending(path: $0)))
        }
    }

    private func seeds(_ target: FuzzTarget) throws -> [[UInt8]] {
        let target = try #require(Seeds.Target(rawValue: target.rawValue))
        return try Seeds.of(target)
    }

    @Test(arguments: FuzzTarget.allCases)
    func theKeptCorpus(_ target: FuzzTarget) throws {
        let inputs = try kept(target)
        #expect(inputs.count > 20)
        for input in inputs { target.run(input) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func mutations(_ target: FuzzTarget) throws {
        let seeds = try seeds(target)
        var random = noise(1 << 16, seed: 17).makeIterator()
        func next() -> Int { Int(random.next() ?? 0) << 8 | Int(random.next() ?? 0) }
        var read = 0
        var refused = 0
        for round in 0..<600 {
            var input = seeds[round % seeds.count]
            for _ in 0..<(1 + next() % 4) {
                let place = next() % input.count
                input[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(next() & 0xFF)][next() % 6]
            }
            if next() % 8 == 0 { input.removeLast(next() % input.count) }
            if target.run(input) { read += 1 } else { refused += 1 }
        }
        #expect(read > 20 && refused > 20, "\(read) read, \(refused) refused")
    }

    /// Writes the seeds for `Tools/fuzz` to start from.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["LAMINA_FUZZ_SEEDS"] != nil))
    func writesSeeds() throws {
        let path = try #require(ProcessInfo.processInfo.environment["LAMINA_FUZZ_SEEDS"])
        for target in FuzzTarget.allCases {
            let directory = URL(filePath: path).appending(path: target.rawValue)
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            for (number, seed) in try seeds(target).enumerated() {
                try Data(seed).write(to: directory.appending(path: "seed-\(number)"))
            }
        }
    }
}
