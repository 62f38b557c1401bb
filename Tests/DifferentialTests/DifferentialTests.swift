// Random scripts on Lamina, kernel overlayfs and a model: the same answers, the same trees.
// LAMINA_DIFFERENTIAL is the number of steps in all, LAMINA_DIFFERENTIAL_SEED the first seed.

import LaminaSystem
import LaminaTestSupport
import Testing
import TreeModel

@Suite(.serialized, .enabled(if: OverlayMount.isPossible)) struct DifferentialTests {
    private static func number(_ name: String) -> Int? {
        CommandRun.environment(name).flatMap { Int($0) }
    }

    private static let steps = 500
    private static let bounded = 10_000

    @Test func scriptsAgree() throws {
        try run(Self.number("LAMINA_DIFFERENTIAL") ?? Self.bounded)
    }

    /// With a volume, a bind, one in the other and a single file in the tree; the host's side is compared too.
    @Test func scriptsAgreeAcrossRedirects() throws {
        try run(Self.number("LAMINA_DIFFERENTIAL") ?? Self.bounded / 2, redirects: true)
    }

    private func run(_ total: Int, redirects: Bool = false) throws {
        let firstSeed = UInt64(Self.number("LAMINA_DIFFERENTIAL_SEED") ?? 1)
        let scripts = max(total / Self.steps, 1)
        var options = ScriptOptions()
        options.exchanges = try Feature.exchange()
        var failures = 0
        for index in 0..<scripts {
            let seed = firstSeed + UInt64(index)
            let plan = ScriptPlan(
                seed: seed, steps: Self.steps, layers: 1 + Int(seed % 4), inMemory: seed % 8 != 0,
                redirects: redirects, options: options)
            if let text = try plan.findDifference() {
                failures += 1
                Issue.record("\(text)")
            }
            if failures == 5 { break }
            if index % 100 == 99 { print("differential: \((index + 1) * Self.steps) steps") }
        }
    }
}
