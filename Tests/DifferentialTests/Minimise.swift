// Minimising a script that found a difference: fewer steps that still find one.

import LaminaTestSupport
import TreeModel

extension ScriptPlan {
    /// Runs the script and returns what differed, with a script made short; nil when nothing did.
    func findDifference() throws -> String? {
        var steps: [Operation] = []
        guard let difference = try first(of: { try $0.generate(into: &steps) }) else { return nil }
        let script = try minimise(steps)
        let last = try first(of: { try $0.replay(script) })
        let lines = script.map { "    \($0)" }.joined(separator: "\n")
        return
            "\(self): \(difference)\nshorter, on the same layers:\n\(lines)\n\(last.map { "\($0)" } ?? "not seen again")"
    }

    private func first(of body: (DifferentialRun) throws -> Void) throws -> Difference? {
        let run = try DifferentialRun(self)
        do {
            try body(run)
            try run.finish()
            return nil
        } catch let difference as Difference {
            try run.finish()
            return difference
        }
    }

    /// Leaves out ever smaller pieces while a difference remains; at most 150 runs.
    private func minimise(_ script: [Operation]) throws -> [Operation] {
        var script = script
        var size = max(script.count / 2, 1)
        var runs = 0
        while runs < 150 {
            var start = 0
            var changed = false
            while start < script.count, runs < 150 {
                var shorter = script
                shorter.removeSubrange(start..<min(start + size, script.count))
                runs += 1
                if try first(of: { try $0.replay(shorter) }) != nil {
                    script = shorter
                    changed = true
                } else {
                    start += size
                }
            }
            if size == 1, !changed { break }
            size = max(size / 2, 1)
        }
        return script
    }
}
