// `lamina volume ls`: one row for each volume.

import ArgumentParser
import LaminaEngine

/// `lamina volume ls`
struct VolumeListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List volumes.",
        discussion: """
            Filters: dangling=true|false, driver=NAME, label=KEY[=VALUE], name=EXPRESSION. With --format json \
            each line is one object, as with docker volume ls.
            """,
        aliases: ["list"])

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Print names only.")
    var quiet = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("List only some, as often as wanted.", valueName: "name=value"))
    var filter: [String] = []

    @Option(help: "table or json.")
    var format: ListFormat = .table

    func run() throws {
        let filter = try VolumeFilter(filter, for: .list)
        let volumes = try global.engine().volumes(filter)
        if quiet {
            for volume in volumes { print(volume.name) }
            return
        }
        switch format {
        case .json: for volume in volumes { print(Format.json(Self.fields(volume))) }
        case .table:
            var table = Table(["DRIVER", "VOLUME NAME"])
            for volume in volumes { table.add([volume.driver, volume.name]) }
            for line in table.lines() { print(line) }
        }
    }

    /// All of Docker's, those of its clusters too; sizes would cost a walk of every volume.
    private static func fields(_ volume: Volume) -> [String: Any] {
        let labels = volume.labels.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")
        return [
            "Availability": "N/A", "Driver": volume.driver, "Group": "N/A", "Labels": labels, "Links": "N/A",
            "Mountpoint": volume.directory.description, "Name": volume.name, "Scope": "local", "Size": "N/A",
            "Status": "N/A",
        ]
    }
}
