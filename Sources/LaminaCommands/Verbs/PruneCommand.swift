// `lamina prune`: what nothing references, removed or listed.

import ArgumentParser
import LaminaEngine

/// `lamina prune`
struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove blobs, objects, layers, chains and leftovers that nothing references.",
        discussion: "Waits for a running load or create, and gives up after 30 seconds.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: .customLong("dry-run"), help: "List what would be removed, and remove nothing.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "First remove every image that no sandbox uses.")
    var all = false

    func run() throws {
        let report = try global.engine().prune(unusedImages: all, dryRun: dryRun)
        for reference in report.untagged {
            print("\(dryRun ? "would untag" : "Untagged:") \(ImageReference.familiar(reference))")
        }
        for item in report.items {
            print("\(dryRun ? "would remove" : "Deleted:") \(item.kind.rawValue) \(item.name)")
        }
        print("Total reclaimed space: \(Format.size(report.reclaimed))")
    }
}
