// `lamina volume prune`: volumes that no sandbox uses go.

import ArgumentParser
import LaminaEngine

/// `lamina volume prune`
struct VolumePruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove anonymous volumes that no sandbox uses.",
        discussion: "Filters: label=KEY[=VALUE], label!=KEY[=VALUE], all=true|false.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Also volumes that have a name.")
    var all = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var force = false

    @Option(help: ArgumentHelp("Remove only some, as often as wanted.", valueName: "name=value"))
    var filter: [String] = []

    func run() throws {
        let filter = try VolumeFilter(filter, for: .prune)
        if all && filter.all != nil {
            throw LaminaError(
                .usage, "conflicting options", "cannot specify both --all and --filter all=1")
        }
        guard force || Self.confirm(all: all || filter.all == true) else {
            throw LaminaError(.failure, "volume prune", "has been cancelled")
        }
        let report = try global.engineForRemoving().pruneVolumes(all: all, filter)
        if !report.items.isEmpty {
            print("Deleted Volumes:")
            for volume in report.items { print(volume.name) }
            print()
        }
        print("Total reclaimed space: \(Format.size(report.reclaimed))")
    }

    /// Whether the user says yes; anything else, and the end of the input, is no.
    private static func confirm(all: Bool) -> Bool {
        Terminal.draw(
            """
            WARNING! This will remove \(all ? "all" : "anonymous") local volumes not used by at least one sandbox.
            Are you sure you want to continue? [y/N] 
            """)
        let answer = readLine() ?? ""
        return answer.split(whereSeparator: \.isWhitespace).map { $0.lowercased() } == ["y"]
    }
}
