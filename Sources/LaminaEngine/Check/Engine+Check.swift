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
        try checkCatalogue(report)
        try checkSandboxes(report)
        var contents = try ContentCheck(self, options)
        try contents.run()
        var problems = contents.problems
        if options.repair && !contents.damage.isEmpty {
            try whileLeased { () throws(LaminaError) in
                try StoreRepair(self, contents.damage).run(&problems)
            }
        }
        for problem in problems { report(problem) }
        try checkCounts(options, report)
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
        var leaving: Set<String> = []
        for leftover in try Self.storing("\(root)", { () throws(StoreError) in try store.leftovers() }) {
            let names = try Self.storing("\(root)") { () throws(StoreError) in
                try store.discardedVolumes(of: leftover.name)
            }
            leaving.formUnion(names)
        }
        for volume in try volumes() where (try? FileStatus.of(volume.directory)) == nil {
            // It gets its place back.
            if leaving.contains(volume.name) { continue }
            report(StoreProblem("volume \(volume.name)", "its directory is missing"))
        }
    }

    /// Whether the catalogue tells of each file, and counts the layers of each object. A row whose file is not there
    /// yet is none's fault: rows come first.
    private func checkCounts(
        _ options: CheckOptions, _ report: (StoreProblem) -> Void
    ) throws(LaminaError) {
        // Without a layer's list its objects would seem to be nobody's; that it is lost was said already.
        guard try layersWithoutList().isEmpty else { return }
        try accountOnce()
        // Files first: what has a place by now has a row.
        var files: [ContentRecord] = []
        for content in StoreContent.allCases {
            files += try Self.storing("\(root)") { () throws(StoreError) in try store.inventory(content) }.map
            {
                ContentRecord(ContentKind($0.content), $0.digest)
            }
        }
        let known = try catalogue { catalog throws(CatalogError) in try catalog.knownContent() }
        var problems: [StoreProblem] = []
        for file in files where !known.contents.contains(file) {
            // It may have been retired between the two looks.
            let isThere = try Self.system(root) { () throws(Errno) in
                try store.diskSize(of: file.kind.content, file.digest) != nil
            }
            if isThere { problems.append(StoreProblem(name(file), "is unknown to the catalogue")) }
        }
        for blob in known.layerBlobs where !store.canRead(blob: blob) {
            problems.append(StoreProblem("blob \(blob)", "is missing; its layer gives the tar back"))
        }
        var counts: [Digest: Int] = [:]
        for layer in known.layers {
            for object in self.objects(of: layer) ?? [] { counts[object, default: 0] += 1 }
        }
        for (object, count) in known.objects where counts[object] ?? 0 != count {
            problems.append(
                StoreProblem(
                    name(ContentRecord(.object, object)),
                    "is counted for \(count) layers, and \(counts[object] ?? 0) have it"))
        }
        if problems.isEmpty { return }
        if options.repair { try account() }
        for var problem in problems {
            if options.repair { problem.outcome = .repaired("counted anew") }
            report(problem)
        }
    }

    private func name(_ content: ContentRecord) -> String { "\(content.kind.rawValue) \(content.digest)" }
}
