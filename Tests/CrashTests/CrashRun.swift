// CrashRun kills a mount's server in the middle of a script, mounts again and holds the tree
// against the model of what was acknowledged.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import TreeModel

/// A tree that is neither the one before nor the one after the step that a crash met.
struct CrashError: Error, CustomStringConvertible {
    var description: String
}

/// One sandbox that crashes again and again.
final class CrashRun {
    private let seed: UInt64
    private let model: Model
    private let sandbox: MountedSandbox
    private let redirected: RedirectedTrees?
    private let comparison = TreeComparison()
    private var generator: ScriptGenerator
    private var random: SeededRandom
    /// Steps that were acknowledged.
    private(set) var acknowledged = 0
    /// Crashes that met a step under way.
    private(set) var interrupted = 0

    /// - Parameter redirects: whether some stand in the tree.
    init(seed: UInt64, options: ScriptOptions, redirects: Bool = false) throws {
        self.seed = seed
        let layers = GeneratedLayer.layers(1 + Int(seed % 3), seed: seed)
        model = Model(layers)
        redirected = redirects ? try RedirectedTrees(inMemory: seed % 2 == 0) : nil
        sandbox = try MountedSandbox(
            layers: layers.map(\.fixture), inMemory: seed % 2 == 0,
            options: redirects ? RedirectedTrees.options : nil, redirects: redirected?.redirects ?? [])
        generator = ScriptGenerator(seed: seed, options: options)
        random = SeededRandom(seed: seed)
        let tree = try RealTree(sandbox.mountpoint)
        try redirected?.add(to: model, tree)
        let time = Operation.setTime(".", Timestamp(seconds: 1_000_000_000))
        _ = (model.run(time), tree.run(time))
    }

    /// Lets the server crash so often.
    func run(crashes: Int) throws {
        for number in 1...crashes {
            let met = try workUntilCrash(after: UInt32(random.below(40_000)))
            try sandbox.clearDeadMount()
            try sandbox.mountAgain()
            try checkWork()
            do {
                try settle(met)
            } catch let error as CrashError {
                throw CrashError(description: "seed \(seed), crash \(number), at \(met): \(error)")
            }
        }
        try sandbox.unmount()
    }

    /// Takes steps until the server is dead; returns the step that got no answer.
    private func workUntilCrash(after microseconds: UInt32) throws -> Operation {
        let server = try sandbox.server()
        let tree = try RealTree(sandbox.mountpoint)
        let killer = try Worker(server) { server in
            usleep(microseconds)
            kill(server, SIGKILL)
        }
        // Waits for the thread in the end.
        defer { withExtendedLifetime(killer) {} }
        while true {
            let step = generator.next(for: model)
            let answer = tree.run(step)
            if Self.isDead(answer) { return step }
            let expected = model.run(step)
            if let text = comparison.difference(of: step, answer, expected, in: model) {
                throw CrashError(description: "seed \(seed): \(step): \(text)")
            }
            acknowledged += 1
        }
    }

    private static func isDead(_ answer: Answer) -> Bool {
        guard case .failed(let error) = answer else { return false }
        return error == .socketNotConnected || error == .connectionAbort
    }

    private func checkWork() throws {
        let left = try Descriptor.open(sandbox.sandbox.appending("work"), O_RDONLY | O_DIRECTORY).entries()
        guard left.isEmpty else {
            throw CrashError(description: "seed \(seed): left in work: \(left.map(\.name))")
        }
    }

    /// Finds which of the allowed states the tree is in, and goes on from there.
    private func settle(_ step: Operation) throws {
        let tree = try RealTree(sandbox.mountpoint)
        var before = comparison.differences(of: tree, from: model)
        if before.isEmpty { return }
        interrupted += 1
        if try takeOverTime(of: step, from: before) {
            before = comparison.differences(of: tree, from: model)
            if before.isEmpty { return }
        }
        if let path = step.cutPath {
            // The kernel takes the capability away with a request of its own.
            let capability = model.run(.attribute(path, "security.capability"))
            _ = model.run(.removeAttribute(path, "security.capability"))
            if comparison.differences(of: tree, from: model).isEmpty { return }
            if case .bytes(let value) = capability {
                _ = model.run(.setAttribute(path, "security.capability", value, flags: 0))
            }
            if let bytes = try? Descriptor.open(sandbox.path(path), O_RDONLY).readAll(limit: 1 << 22) {
                model.settle(step, bytes)
                if comparison.differences(of: tree, from: model).isEmpty { return }
            }
        }
        _ = model.run(step)
        let after = comparison.differences(of: tree, from: model)
        if after.isEmpty { return }
        throw CrashError(
            description:
                "neither before (\(before.joined(separator: "; "))) nor after (\(after.joined(separator: "; ")))"
        )
    }
}

extension CrashRun {
    /// A copy-up puts its name into the directory and then gives the directory its time back: a crash between
    /// the two leaves the time of the crash, of one directory above the step's node (docs/SEMANTICS.md).
    private func takeOverTime(of step: Operation, from differences: [String]) throws -> Bool {
        let changed = step.copiedPaths.flatMap { path in
            let components = path.components
            return components.indices.map { count in
                components[..<count].reduce(ByteString()) { $0.isEmpty ? $1 : $0.appending($1) }
            }
        }
        let late = Set(changed).filter { directory in
            differences.contains { $0.hasPrefix("\(directory): time ") }
        }
        guard late.count == 1, let directory = late.first else { return false }
        _ = model.run(.setTime(directory, try FileStatus.of(sandbox.path(directory)).mtime))
        return true
    }
}

extension Operation {
    /// The nodes that the step copies up where only layers have them.
    fileprivate var copiedPaths: [ByteString] {
        switch self {
        case .open(let path, _, _), .write(let path, _, _, _), .append(let path, _, _),
            .truncate(let path, _),
            .setPermissions(let path, _), .setOwner(let path, _, _), .setTime(let path, _),
            .setAttribute(let path, _, _, _), .removeAttribute(let path, _):
            [path]
        case .link(let path, let other), .rename(let path, let other, _): [path, other]
        default: []
        }
    }

    /// The file whose bytes or owner the step changes, in more requests than one.
    fileprivate var cutPath: ByteString? {
        switch self {
        case .write(let path, _, _, _), .append(let path, _, _), .truncate(let path, _),
            .setOwner(let path, _, _):
            path
        default: nil
        }
    }
}
