// `lamina ps`: one row for each sandbox.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina ps`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List sandboxes: the mounted ones, or all with -a.",
        discussion: "With --format json each line is one object, as with docker ps.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "List all sandboxes, not only mounted ones.")
    var all = false

    @Flag(name: [.short, .long], help: "Print ids only.")
    var quiet = false

    @Flag(name: .customLong("no-trunc"), help: "Print whole ids.")
    var noTruncation = false

    @Option(help: "table or json.")
    var format: ListFormat = .table

    func run() throws {
        let sandboxes = try global.engine().sandboxes().filter { all || $0.state != .idle }
        var table = Table(["SANDBOX ID", "IMAGE", "CREATED", "STATUS", "MOUNTPOINT", "NAME"])
        for sandbox in sandboxes {
            let id = noTruncation ? sandbox.id : String(sandbox.id.prefix(12))
            if quiet {
                print(id)
            } else if format == .json {
                print(Format.json(Self.fields(sandbox)))
            } else {
                table.add([
                    id, sandbox.imageName, Format.age(sandbox.created), Self.status(sandbox),
                    sandbox.mountpoint?.description ?? "", sandbox.name,
                ])
            }
        }
        if !quiet && format == .table { for line in table.lines() { print(line) } }
    }

    private static func status(_ sandbox: Sandbox) -> String {
        switch sandbox.state {
        case .idle: sandbox.isVolatile ? "Not mounted (volatile, not ended cleanly)" : "Not mounted"
        case .mounted where sandbox.isVolatile: "Mounted (volatile)"
        case .mounted: sandbox.readOnly ? "Mounted (read-only)" : "Mounted"
        case .stale: "Dead (run lamina umount)"
        case .detached: "Unmounting"
        }
    }

    private static func fields(_ sandbox: Sandbox) -> [String: Any] {
        [
            "ID": sandbox.id, "Name": sandbox.name, "Image": sandbox.imageName,
            "ImageID": "\(sandbox.imageID)",
            "CreatedAt": Format.time(sandbox.created), "State": sandbox.state.rawValue,
            "Status": status(sandbox), "Mountpoint": sandbox.mountpoint?.description ?? "",
        ]
    }
}
