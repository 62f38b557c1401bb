// `lamina system df`: what takes how much room.

import ArgumentParser
import LaminaEngine

/// `lamina system df`
struct DiskUsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "df", abstract: "Show what the store takes on disk, and what could be had back.",
        discussion: """
            Sizes are bytes on disk, which files that several images have in common take once. Images: what images \
            and sandboxes need; active are those that a sandbox stands on. Cache: what nothing needs, and what \
            killed processes left. Content is counted as it comes and goes; sandboxes and volumes are walked.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(
        name: [.short, .long],
        help: "Each image with what it shares and what it has alone, each sandbox, each volume.")
    var verbose = false

    @Flag(help: "Also walk the whole store, and fail where the catalogue counts otherwise.")
    var verify = false

    @Option(
        help: ArgumentHelp(
            "table, json, or a Go template for each row such as '{{.Type}}'.", valueName: "format"))
    var format: String = "table"

    func run() throws {
        let engine = try global.engine()
        if verify { try engine.verifyUsage() }
        if verbose { return try printDetails(engine) }
        let usage = try engine.diskUsage()
        let rows = [
            ("Images", usage.images), ("Sandboxes", usage.sandboxes), ("Volumes", usage.volumes),
            ("Cache", usage.cache),
        ]
        switch format {
        case "table":
            var table = Table(["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"])
            for (name, row) in rows {
                table.add([
                    name, "\(row.total)", "\(row.active)", Format.size(row.size), Self.reclaimable(row),
                ])
            }
            for line in table.lines() { print(line) }
        case "json": for (name, row) in rows { print(Format.json(Self.fields(name, row))) }
        default:
            let template = try GoTemplate.parsed(format)
            for (name, row) in rows {
                let fields = FieldValue(object: Self.fields(name, row)) ?? .null
                print(Terminal.clean(try template.filled(with: fields), keeping: "\t\n"))
            }
        }
    }

    /// With the share of the size, as Docker has it.
    private static func reclaimable(_ row: DiskUsage.Row) -> String {
        guard row.size > 0 else { return Format.size(row.reclaimable) }
        return "\(Format.size(row.reclaimable)) (\(row.reclaimable &* 100 / row.size)%)"
    }

    /// Docker's fields.
    private static func fields(_ name: String, _ row: DiskUsage.Row) -> [String: Any] {
        [
            "Type": name, "TotalCount": "\(row.total)", "Active": "\(row.active)",
            "Size": Format.size(row.size),
            "Reclaimable": reclaimable(row),
        ]
    }

    private func printDetails(_ engine: Engine) throws {
        let details = try engine.detailedDiskUsage()
        print("Images space usage:\n")
        var table = Table(["REPOSITORY", "IMAGE ID", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "SANDBOXES"])
        for usage in details.images {
            table.add([
                usage.image.references.first.map(ImageReference.familiar) ?? "<none>",
                String(usage.image.id.hex.prefix(12)), Format.size(usage.shared &+ usage.unique),
                Format.size(usage.shared), Format.size(usage.unique), "\(usage.image.sandboxes.count)",
            ])
        }
        for line in table.lines() { print(line) }
        print("\nSandboxes space usage:\n")
        table = Table(["SANDBOX ID", "NAME", "MOUNTED", "SIZE"])
        for one in details.sandboxes {
            table.add([
                String(one.name.prefix(12)), one.title, one.links > 0 ? "yes" : "no", Format.size(one.size),
            ])
        }
        for line in table.lines() { print(line) }
        print("\nVolumes space usage:\n")
        table = Table(["VOLUME NAME", "LINKS", "SIZE"])
        for one in details.volumes { table.add([one.name, "\(one.links)", Format.size(one.size)]) }
        for line in table.lines() { print(line) }
    }
}
