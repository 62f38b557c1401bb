// `lamina prune`: what nothing references, removed or listed.

import ArgumentParser
import LaminaEngine

/// `lamina prune`
struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove blobs, objects, layers, chains and leftovers that nothing references.",
        discussion: """
            Waits for a running load or create, and gives up after 30 seconds. Prints a count and the bytes on \
            disk of each kind; --verbose and --dry-run list each thing.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .customLong("dry-run"), help: "List what would be removed, and remove nothing.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "First remove every image that no sandbox uses.")
    var all = false

    @Flag(name: [.short, .long], help: "List each thing that is removed.")
    var verbose = false

    func run() throws {
        let report = try global.engine().prune(unusedImages: all, dryRun: dryRun)
        for reference in report.untagged {
            print("\(dryRun ? "would untag" : "Untagged:") \(ImageReference.familiar(reference))")
        }
        for item in report.items where item.kind == .image || dryRun || verbose {
            print("\(dryRun ? "would remove" : "Deleted:") \(item.kind.rawValue) \(item.name)")
        }
        if !dryRun && !verbose { printCounts(report.items) }
        print("Total reclaimed space: \(Format.size(report.reclaimed))")
    }

    /// One line a kind, in the order in which they went.
    private func printCounts(_ items: [PruneReport.Item]) {
        for kind in PruneReport.Kind.allCases where kind != .image {
            let sizes = items.filter { $0.kind == kind }.map(\.size)
            if sizes.isEmpty { continue }
            let name = sizes.count == 1 ? kind.rawValue : kind.plural
            print("Deleted: \(sizes.count) \(name), \(Format.size(sizes.reduce(0) { $0 &+ $1 }))")
        }
    }
}

extension PruneReport.Kind {
    fileprivate var plural: String { self == .sandbox ? "sandboxes" : "\(rawValue)s" }
}
