// DifferentialRun runs one script on Lamina, on kernel overlayfs and on the model, step by step,
// and stops at the first difference.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import TreeModel

/// What a script is made from.
struct ScriptPlan: Sendable, CustomStringConvertible {
    var seed: UInt64
    var steps: Int
    var layers: Int
    var inMemory = true
    var remounts = true
    /// Whether redirects stand in the tree. Kernel overlayfs knows none, so that the model alone judges.
    var redirects = false
    var options = ScriptOptions()

    var description: String {
        "seed \(seed), \(steps) steps, \(layers) layers\(inMemory ? "" : ", on disk")\(redirects ? ", redirects" : "")"
    }

    /// Whole trees are compared after so many steps.
    static let comparisonInterval = 50
}

/// A difference that a script found.
struct Difference: Error, CustomStringConvertible {
    var step: Int
    var operation: Operation?
    var text: String

    var description: String {
        "step \(step): \(operation.map { "\($0)" } ?? "comparing the trees"): \(text)"
    }
}

/// The three trees of one script.
final class DifferentialRun {
    private let plan: ScriptPlan
    private let model: Model
    private let sandbox: MountedSandbox
    private let overlay: OverlayMount?
    private let redirected: RedirectedTrees?
    private var lamina: RealTree?
    private var kernel: RealTree?
    private let laminaComparison = TreeComparison()
    private let kernelComparison = TreeComparison(.overlayfs)

    init(_ plan: ScriptPlan) throws {
        self.plan = plan
        let layers = GeneratedLayer.layers(plan.layers, seed: plan.seed)
        model = Model(layers)
        overlay = plan.redirects ? nil : try OverlayMount(layers, inMemory: plan.inMemory)
        redirected = plan.redirects ? try RedirectedTrees(inMemory: plan.inMemory) : nil
        sandbox = try MountedSandbox(
            layers: layers.map(\.fixture), inMemory: plan.inMemory,
            options: plan.redirects ? RedirectedTrees.options : nil, redirects: redirected?.redirects ?? [])
        try overlay?.mount()
        let lamina = try RealTree(sandbox.mountpoint)
        let kernel = try overlay.map { try RealTree($0.mountpoint) }
        try redirected?.add(to: model, lamina)
        let time = Operation.setTime(".", Timestamp(seconds: 1_000_000_000))
        for answer in [model.run(time), lamina.run(time), kernel?.run(time) ?? .done] where answer != .done {
            throw Difference(step: 0, operation: time, text: "\(answer)")
        }
        self.lamina = lamina
        self.kernel = kernel
    }

    /// Takes the mounts away.
    func finish() throws {
        lamina = nil
        kernel = nil
        try overlay?.unmount()
        try sandbox.unmount()
    }

    /// Makes a script as it goes and runs it; returns its steps. The script that led to a
    /// difference is left in `steps`.
    func generate(into steps: inout [Operation]) throws {
        var generator = ScriptGenerator(seed: plan.seed, options: plan.options)
        try compare(at: 0)
        for number in 1...plan.steps {
            let operation = generator.next(for: model)
            steps.append(operation)
            try run(operation, number)
            if number % ScriptPlan.comparisonInterval == 0 { try compare(at: number) }
            if plan.remounts, number % 211 == Int(plan.seed % 211) { try remount(at: number) }
        }
        try compare(at: plan.steps)
        try remount(at: plan.steps)
    }

    /// Runs a script that is there already.
    func replay(_ steps: [Operation]) throws {
        for (number, operation) in steps.enumerated() { try run(operation, number + 1) }
        try compare(at: steps.count)
        try remount(at: steps.count)
    }

    private func run(_ operation: Operation, _ number: Int) throws {
        let expected = model.run(operation)
        try check(operation, number, lamina, expected, laminaComparison, "Lamina")
        try check(operation, number, kernel, expected, kernelComparison, "overlayfs")
    }

    private func check(
        _ operation: Operation, _ number: Int, _ tree: RealTree?, _ expected: Answer,
        _ comparison: TreeComparison, _ name: String
    ) throws {
        guard let tree, !comparison.skips(operation, in: model) else { return }
        let answer = tree.run(operation)
        if let text = comparison.difference(of: operation, answer, expected, in: model) {
            throw Difference(step: number, operation: operation, text: "\(name): \(text)")
        }
    }

    private func compare(at number: Int) throws {
        for (tree, comparison, name) in [
            (lamina, laminaComparison, "Lamina"), (kernel, kernelComparison, "overlayfs"),
        ] {
            guard let tree else { continue }
            let found = comparison.differences(of: tree, from: model)
            if !found.isEmpty {
                throw Difference(step: number, text: "\(name): " + found.joined(separator: "\n    "))
            }
        }
        let found = try redirected?.differences(from: model) ?? []
        if !found.isEmpty { throw Difference(step: number, text: found.joined(separator: "\n    ")) }
    }

    /// Mounts Lamina's sandbox again: what only the server remembered is gone. Held files are
    /// let go of, everywhere.
    private func remount(at number: Int) throws {
        for slot in 0..<ScriptGenerator.slots {
            let release = Operation.release(slot: slot)
            _ = (model.run(release), kernel?.run(release))
        }
        lamina = nil
        try sandbox.remount()
        lamina = try RealTree(sandbox.mountpoint)
        do {
            try compare(at: number)
        } catch let difference as Difference {
            throw Difference(step: number, text: "after a remount: \(difference.text)")
        }
    }
}
