// kill -9 of lamina-mountd under load. LAMINA_CRASHES is how often.

import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing
import TreeModel

@Suite(.serialized, .enabled(if: MountedSandbox.isPossible)) struct CrashTests {
    /// Crashes of one sandbox.
    private static let inARow = 5

    @Test func acknowledgedChangesStay() throws {
        try run(CommandRun.environment("LAMINA_CRASHES").flatMap { Int($0) } ?? 10)
    }

    /// Of a volume and binds too.
    @Test func acknowledgedChangesStayBeneathRedirects() throws {
        try run(CommandRun.environment("LAMINA_CRASHES").flatMap { Int($0) } ?? 10, redirects: true)
    }

    private func run(_ crashes: Int, redirects: Bool = false) throws {
        var options = ScriptOptions()
        options.holdsFiles = false
        options.exchanges = false
        var acknowledged = 0
        var interrupted = 0
        var failures = 0
        for seed in 0..<UInt64(max(crashes / Self.inARow, 1)) where failures < 5 {
            do {
                let run = try CrashRun(seed: seed + 1, options: options, redirects: redirects)
                try run.run(crashes: Self.inARow)
                acknowledged += run.acknowledged
                interrupted += run.interrupted
            } catch {
                failures += 1
                Issue.record("\(error)")
            }
        }
        print(
            "crashes: \(crashes), \(acknowledged) steps acknowledged, \(interrupted) met a change under way")
        #expect(acknowledged > 0)
    }
}
