// `lamina stats`: what the servers of mounted sandboxes counted.

import ArgumentParser
import LaminaEngine

/// `lamina stats`
struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what mounts were asked, how long answers took, and what was copied.",
        discussion: """
            Without a name: all mounted sandboxes, a row for each. Counting starts with the mount. With --format \
            json each line is one sandbox; prometheus is the text that Prometheus scrapes.
            """)

    enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
        case prometheus
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "table, json or prometheus.")
    var format: OutputFormat = .table

    @Argument(help: ArgumentHelp("Sandboxes: ids, starts of ids, or names.", valueName: "sandbox"))
    var sandboxes: [String] = []

    func run() throws {
        let engine = try global.engine()
        var mounts: [MountStatistics] = []
        var failed: ExitCode?
        if sandboxes.isEmpty {
            mounts = try engine.statistics()
        } else {
            do throws(ExitCode) {
                try forEach(sandboxes) { name throws(LaminaError) in
                    mounts.append(try engine.statistics(of: name))
                }
            } catch {
                failed = error
            }
        }
        switch format {
        case .json: for mount in mounts { print(Format.json(StatisticsFields.all(mount))) }
        case .prometheus: if !mounts.isEmpty { print(PrometheusText.text(mounts), terminator: "") }
        case .table where sandboxes.isEmpty: for line in StatisticsTable.overview(mounts) { print(line) }
        case .table:
            for (index, mount) in mounts.enumerated() {
                if index > 0 { print() }
                for line in StatisticsTable.details(mount) { print(line) }
            }
        }
        if let failed { throw failed }
    }
}
