// `lamina ps`: one row for each sandbox.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina ps`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List sandboxes: the mounted ones, or all with -a.",
        discussion: """
            Filters: \(SandboxFilter.names.joined(separator: ", ")); status is idle, mounted, running, stale or detached. \
            Fields of templates: \(SandboxRow.view.fields.map { ".\($0.name)" }.joined(separator: " ")).
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "List all sandboxes, not only mounted ones.")
    var all = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("List only some, as often as wanted.", valueName: "name=value"))
    var filter: [String] = []

    @Option(help: OutputFormat.help)
    var format: OutputFormat = .table

    @Option(name: [.customShort("n"), .long], help: "List the newest of all sandboxes, so many.")
    var last: Int?

    @Flag(name: [.short, .long], help: "List the newest of all sandboxes.")
    var latest = false

    @Flag(name: .customLong("no-trunc"), help: "Print whole ids.")
    var noTruncation = false

    @Flag(name: [.short, .long], help: "Print ids only.")
    var quiet = false

    func run() throws {
        let filter = try SandboxFilter(filter)
        // As Docker: a negative count is none.
        let count = latest ? 1 : last.flatMap { $0 >= 0 ? $0 : nil }
        var sandboxes = try global.engine().sandboxes(filter)
        if !all && count == nil && !filter.hasStatus { sandboxes.removeAll { $0.state == .idle } }
        let rows = sandboxes.prefix(count ?? .max).map { SandboxRow(sandbox: $0, isWhole: noTruncation) }
        if quiet {
            for row in rows { print(row.id) }
            return
        }
        for line in try SandboxRow.view.lines(rows, format) { print(line) }
    }
}

extension Sandbox {
    /// `state`, and whether something runs in it.
    var shownState: String { container == nil ? state.rawValue : "running" }
}

/// What a list says of one sandbox.
struct SandboxRow {
    var sandbox: Sandbox
    var isWhole: Bool

    static var view: ListView<SandboxRow> {
        ListView(
            fields: [
                .init("ID", "SANDBOX ID") { $0.id },
                .init("Image", "IMAGE") { $0.sandbox.imageName },
                .init("ImageID", "IMAGE ID") { "\($0.sandbox.imageID)" },
                .init("RunningFor", "CREATED") { Format.age($0.sandbox.created) },
                .init("CreatedAt", "CREATED AT") { Format.goTime($0.sandbox.created) },
                .init("State", "STATE") { $0.sandbox.shownState },
                .init("Status", "STATUS") { $0.status },
                .init("Mountpoint", "MOUNTPOINT") { $0.sandbox.mountpoint?.description ?? "" },
                .init("Mounts", "MOUNTS") { row in
                    row.sandbox.redirects.map(\.target.description).joined(separator: ",")
                },
                .init("Names", "NAME") { $0.sandbox.name },
            ], table: ["ID", "Image", "RunningFor", "Status", "Mountpoint", "Names"])
    }

    var id: String { isWhole ? sandbox.id : String(sandbox.id.prefix(12)) }

    private var status: String {
        switch sandbox.state {
        case .idle: sandbox.isVolatile ? "Not mounted (volatile, not ended cleanly)" : "Not mounted"
        case .mounted where sandbox.container != nil:
            "Up \(Format.duration(since: sandbox.container?.started ?? 0))"
        case .mounted where sandbox.isVolatile: "Mounted (volatile)"
        case .mounted: sandbox.readOnly ? "Mounted (read-only)" : "Mounted"
        case .stale: "Dead (run lamina umount)"
        case .detached: "Unmounting"
        }
    }
}
