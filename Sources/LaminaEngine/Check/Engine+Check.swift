// Comparing the catalogue with what is on disk, and all content with its digests.

import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// Looks for what is not as it should be and reports each thing, with `repair` what was done about it. User
    /// data in sandboxes and volumes is never removed or changed. May run beside other work; content that comes or
    /// goes meanwhile is no problem. O(references), a deep check O(bytes).
    public func check(
        _ options: CheckOptions, _ report: (StoreProblem) -> Void
    ) throws(LaminaError) {
        let lease = try lease()
        try checkCatalogue(report)
        try checkSandboxes(report)
        var contents = try ContentCheck(self, options)
        try contents.run()
        var problems = contents.problems
        if options.repair && !contents.damage.isEmpty {
            try StoreRepair(self, contents.damage).run(&problems)
        }
        for problem in problems { report(problem) }
        try checkCounts(options, report)
        _ = consume lease
        if options.repair { removeDeadWork() }
    }

    private func checkCatalogue(_ report: (StoreProblem) -> Void) throws(LaminaError) {
        let complaints = try catalogue { catalog throws(CatalogError) in try catalog.integrity() }
        for complaint in complaints { report(StoreProblem("catalogue", complaint)) }
    }

    private func checkSandboxes(_ report: (StoreProblem) -> Void) throws(LaminaError) {
        for sandbox in try sandboxes() {
            if sandbox.state == .stale {
                report(StoreProblem("sandbox \(sandbox.name)", "its server has died; run lamina recover"))
            }
            for name: ByteString in ["upper", "work", "layerchain.json"] {
                if (try? FileStatus.of(sandbox.directory.appending(name))) != nil { continue }
                report(StoreProblem("sandbox \(sandbox.name)", "\(name) is missing"))
            }
        }
        for volume in try volumes() where (try? FileStatus.of(volume.directory)) == nil {
            report(StoreProblem("volume \(volume.name)", "its directory is missing"))
        }
    }

    /// Whether the catalogue counts what is there.
    private func checkCounts(
        _ options: CheckOptions, _ report: (StoreProblem) -> Void
    ) throws(LaminaError) {
        do throws(LaminaError) {
            try verifyUsage()
        } catch {
            var problem = StoreProblem("catalogue", error.message)
            if options.repair {
                try account()
                problem.outcome = .repaired("counted anew")
            }
            report(problem)
        }
    }
}
