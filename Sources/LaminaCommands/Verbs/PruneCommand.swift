// `lamina prune`: what nothing needs, removed or listed.

import ArgumentParser
import Foundation
import LaminaEngine

/// `lamina prune`
struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove images, sandboxes, volumes and content that nothing needs.",
        discussion: """
            Kinds: image (unused images without a name, with --all every unused one, and what nothing needs then), \
            sandbox (those that are not \
            mounted, with everything in them), volume (unused anonymous ones; with --all named ones too), cache \
            (content that nothing refers to, and what killed processes left), all (image, sandbox and cache). \
            Without a kind: image and cache.

            Runs beside loads, mounts and commits. What another process may still be reading is out of its place \
            at once, and its bytes go when that process ends or with a later prune. Asks first on a terminal, and \
            always when sandboxes or volumes are to go, unless --force. Prints a count and the bytes on disk of \
            each kind; --verbose and --dry-run list each thing.

            Filters: until=TIME (RFC 3339, seconds since the epoch, or an age like 36h), label=KEY[=VALUE], \
            label!=KEY[=VALUE].
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("What to remove: image, sandbox, volume, cache or all.", valueName: "kind"))
    var kinds: [String] = []

    @Flag(name: .customLong("dry-run"), help: "List what would be removed, and remove nothing.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "Every image that no sandbox uses, and volumes that have a name.")
    var all = false

    @Flag(help: "Also volumes that no sandbox uses.")
    var volumes = false

    @Flag(
        name: .customLong("drop-blobs"),
        help: "Also compressed blobs of layers, which the layers can be written from anew.")
    var dropBlobs = false

    @Option(help: ArgumentHelp("Remove only some, as often as wanted.", valueName: "name=value"))
    var filter: [String] = []

    @Option(
        name: .customLong("keep-storage"),
        help: ArgumentHelp(
            "Remove unused images, the longest unused first, until the rest takes so much.", valueName: "size"
        ))
    var keepStorage: String?

    @Option(
        help: ArgumentHelp("Say whose a file of the store is, and remove nothing.", valueName: "path|digest"))
    var explain: String?

    @Flag(help: "List every file of the store with its owner and add them up, and remove nothing.")
    var prove = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var force = false

    @Flag(name: [.short, .long], help: "List each thing that is removed.")
    var verbose = false

    func run() throws {
        if let explain { return try OwnerReport.explain(explain, try global.engine()) }
        if prove { return try OwnerReport.prove(try global.engine()) }
        let options = try options()
        try confirm(options)
        let engine = try dryRun ? global.engine() : global.engineForRemoving()
        let report = try engine.prune(options)
        for reference in report.untagged {
            print("\(dryRun ? "would untag" : "Untagged:") \(ImageReference.familiar(reference))")
        }
        for item in report.items where item.kind.isNamed || dryRun || verbose {
            print("\(dryRun ? "would remove" : "Deleted:") \(item.kind.rawValue) \(item.name)")
        }
        if !dryRun && !verbose { printCounts(report.items) }
        print("Total reclaimed space: \(Format.size(report.reclaimed))")
        if report.waiting > 0 {
            print("Waiting for other processes: \(Format.size(report.waiting))")
        }
    }

    private func options() throws -> PruneOptions {
        var options = PruneOptions()
        options.kinds = try wanted()
        options.all = all
        options.filter = try PruneFilter(filter, now: Int64(Date().timeIntervalSince1970))
        if let keepStorage {
            guard let bytes = MemorySize.bytes(keepStorage) else {
                throw LaminaError(.usage, "--keep-storage \(keepStorage)", "is no size")
            }
            options.keepStorage = bytes
        }
        options.dropBlobs = dropBlobs
        options.dryRun = dryRun
        if dropBlobs && !options.kinds.contains(.cache) {
            throw LaminaError(.usage, "--drop-blobs", "is about the kind cache")
        }
        if keepStorage != nil && !options.kinds.contains(.image) {
            throw LaminaError(.usage, "--keep-storage", "is about the kind image")
        }
        return options
    }

    private func wanted() throws -> Set<PruneKind> {
        var result: Set<PruneKind> = []
        for word in kinds {
            if word == "all" {
                result.formUnion([.image, .sandbox, .cache])
            } else if let kind = PruneKind(rawValue: word) {
                result.insert(kind)
            } else {
                throw LaminaError(.usage, word, "is none of image, sandbox, volume, cache, all")
            }
        }
        if result.isEmpty { result = [.image, .cache] }
        if volumes { result.insert(.volume) }
        return result
    }

    /// Asks on a terminal. Where nobody can be asked, user data stays.
    private func confirm(_ options: PruneOptions) throws {
        let risksData = options.kinds.contains(.sandbox) || options.kinds.contains(.volume)
        guard !dryRun, !force, risksData || isatty(STDIN_FILENO) == 1 else { return }
        Terminal.draw(
            """
            WARNING! This will remove:
            \(options.warnings.map { "  - \($0)" }.joined(separator: "\n"))
            Are you sure you want to continue? [y/N] 
            """)
        let answer = (readLine() ?? "").split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
        guard answer == ["y"] else { throw LaminaError(.failure, "prune", "has been cancelled") }
    }

    /// One line a kind, in the order in which they went.
    private func printCounts(_ items: [PruneReport.Item]) {
        for kind in PruneReport.Kind.allCases where !kind.isNamed {
            let sizes = items.filter { $0.kind == kind }.map(\.size)
            if sizes.isEmpty { continue }
            let name = sizes.count == 1 ? kind.rawValue : "\(kind.rawValue)s"
            print("Deleted: \(sizes.count) \(name), \(Format.size(sizes.reduce(0) { $0 &+ $1 }))")
        }
    }
}

extension PruneReport.Kind {
    /// Whether people know each by its name.
    fileprivate var isNamed: Bool { self == .image || self == .sandbox || self == .volume }
}

extension PruneOptions {
    /// What goes, for people.
    fileprivate var warnings: [String] {
        var lines: [String] = []
        if kinds.contains(.sandbox) {
            lines.append("all sandboxes that are not mounted, with everything in them")
        }
        if kinds.contains(.volume) {
            lines.append("all \(all ? "" : "anonymous ")volumes not used by at least one sandbox")
        }
        if kinds.contains(.image) {
            let some = all || keepStorage != nil
            lines.append("\(some ? "images" : "images without a name") not used by at least one sandbox")
        }
        if kinds.contains(.cache) { lines.append("content that nothing refers to") }
        if dropBlobs { lines.append("compressed blobs of layers") }
        return lines
    }
}
