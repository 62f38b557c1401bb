// A sandbox handed to kernel overlayfs and back: each reads what the other wrote.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing
import TreeModel

@Suite(.serialized, .enabled(if: OverlayMount.isPossible)) struct InterchangeTests {
    private static let steps = 400

    /// Takes the steps of a seed and checks their answers.
    private func change(
        _ path: ByteString, _ model: Model, seed: UInt64, _ comparison: TreeComparison,
        options: ScriptOptions
    ) throws {
        let tree = try RealTree(path)
        var generator = ScriptGenerator(seed: seed, options: options)
        let time = Operation.setTime(".", Timestamp(seconds: 1_000_000_000))
        #expect(tree.run(time) == model.run(time))
        for _ in 0..<Self.steps {
            let step = generator.next(for: model)
            let answer = tree.run(step)
            if let text = comparison.difference(of: step, answer, model.run(step), in: model) {
                throw Difference(step: 0, operation: step, text: text)
            }
        }
    }

    private func options() throws -> ScriptOptions {
        var options = ScriptOptions()
        options.holdsFiles = false
        options.exchanges = try Feature.exchange()
        return options
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>) func overlayfsReadsOurSandbox(seed: UInt64) throws {
        var kind = LayerOptions()
        kind.bigFiles = false
        let layers = GeneratedLayer.layers(1 + Int(seed % 4), seed: seed, options: kind)
        let model = Model(layers)
        let sandbox = try MountedSandbox(layers: layers.map(\.fixture), inMemory: true)
        try change(sandbox.mountpoint, model, seed: seed, TreeComparison(), options: options())
        try sandbox.unmount()
        let overlay = try OverlayMount(layers, options: OverlayMount.plain)
        let work = sandbox.sandbox.appending("overlay-work")
        try Descriptor.workingDirectory().makeDirectory(work, permissions: 0o755)
        try overlay.mount(upper: sandbox.sandbox.appending("upper"), work: work)
        let found = TreeComparison(.overlayfs).differences(
            of: try RealTree(overlay.mountpoint), from: model)
        #expect(found.isEmpty, "seed \(seed)")
        try overlay.unmount()
    }

    /// Layers without hard links: overlayfs breaks those when their index directory is not there.
    @Test(arguments: 1...6 as ClosedRange<UInt64>) func weReadTheSandboxOfOverlayfs(seed: UInt64) throws {
        var kind = LayerOptions()
        kind.bigFiles = false
        kind.hardLinks = false
        let layers = GeneratedLayer.layers(1 + Int(seed % 4), seed: seed, options: kind)
        let model = Model(layers)
        let metacopy = try Feature.metacopy()
        let overlay = try OverlayMount(
            layers, options: metacopy ? OverlayMount.plain : "metacopy=off,redirect_dir=on")
        try overlay.mount()
        var steps = ScriptOptions()
        steps.holdsFiles = false
        try change(overlay.mountpoint, model, seed: seed, TreeComparison(.overlayfs), options: steps)
        try overlay.unmount()
        let sandbox = try MountedSandbox(layers: layers.map(\.fixture), inMemory: true)
        try sandbox.unmount()
        let upper = sandbox.sandbox.appending("upper")
        let root = try Descriptor.workingDirectory()
        try root.removeTree(upper)
        try root.rename(overlay.upper, to: root, upper)
        try sandbox.mountAgain()
        var tolerance = Tolerance()
        tolerance.copiesMayBeYounger = true
        let comparison = TreeComparison(tolerance)
        for _ in 0..<2 {
            let found = comparison.differences(of: try RealTree(sandbox.mountpoint), from: model)
            #expect(found.isEmpty, "seed \(seed)")
            try sandbox.remount()
        }
    }
}
