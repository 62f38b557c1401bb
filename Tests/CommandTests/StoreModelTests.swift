import Foundation
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing
import TreeModel

/// Random verbs in up to four processes at one store, some of which are killed: what somebody needs is there, and
/// what nobody needs goes. `LAMINA_STORE_OPERATIONS` and `LAMINA_STORE_SEED` choose another run, and `LAMINA_PROGRAMS`
/// the directory of the programs that it judges.
@Suite struct StoreModelTests {
    @Test func nothingNeededIsLostAndNothingElseStays() throws {
        let environment = ProcessInfo.processInfo.environment
        let operations = environment["LAMINA_STORE_OPERATIONS"].flatMap { Int($0) } ?? 240
        let seed = environment["LAMINA_STORE_SEED"].flatMap { UInt64($0) } ?? 1
        let run = try StoreModelRun(seed: seed)
        var said = 0
        while run.operations < operations && !run.failed {
            try run.round()
            // A run of hours is watched by these lines.
            guard run.operations >= said + 1000 else { continue }
            said = run.operations
            try FileHandle.standardError.write(contentsOf: Data("\(run.summary)\n".utf8))
        }
        try run.end()
        print(run.summary)
        // A run in which a verb never does anything judges nothing.
        for verb in ["load", "tag", "rmi", "create", "rm", "volume", "commit", "mount", "prune"] {
            #expect(run.done[verb] ?? 0 > 0, "no \(verb): \(run.done)")
        }
        #expect(!run.failed, "LAMINA_STORE_SEED=\(seed)")
    }
}
