// `lamina layer ls-files`: what a layer has, and what it hides.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina layer ls-files`
struct LayerFilesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls-files", abstract: "List the paths of a layer, those that it deletes as .wh.NAME.",
        discussion: """
            A directory that hides all of lower layers has .wh..wh..opq in it. Bytes of names that are not text are \
            written \\xNN. Fields of templates: \(LayerNodeRow.view.fields.map { ".\($0.name)" }.joined(separator: " ")).
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Show mode, owner, size and time of each.")
    var long = false

    @Option(help: OutputFormat.help)
    var format: OutputFormat?

    @Argument(help: ArgumentHelp("The layer's diffID, or the start of it.", valueName: "diffID"))
    var layer: String

    func run() throws {
        let engine = try global.engine()
        let nodes = try engine.files(of: engine.layer(layer)).filter { !$0.path.isEmpty }
        if let format {
            for line in try LayerNodeRow.view.lines(nodes, format) { print(line) }
        } else if long {
            for line in try LayerNodeRow.view.lines(nodes, .table).dropFirst() { print(line) }
        } else {
            for node in nodes { print(node.path) }
        }
    }
}

/// What a list says of one path of a layer.
enum LayerNodeRow {
    static var view: ListView<LayerNode> {
        ListView(
            fields: [
                .init("Mode", "MODE", mode),
                .init("UID", "UID") { "\($0.uid)" },
                .init("GID", "GID") { "\($0.gid)" },
                .init("Links", "LINKS") { "\($0.linkCount)" },
                .init("Size", "SIZE") { size($0) },
                .init("Modified", "MODIFIED") { Format.time($0.mtime.seconds) },
                .init("Path", "PATH") { $0.path.description },
                .init("Target", "TARGET") { $0.target.map { "-> \($0)" } ?? "" },
            ], table: ["Mode", "UID", "GID", "Links", "Size", "Modified", "Path", "Target"])
    }

    private static func size(_ node: LayerNode) -> String {
        switch node.type {
        case .characterDevice, .blockDevice: "\(node.device.major):\(node.device.minor)"
        default: "\(node.size)"
        }
    }

    /// As `ls -l` writes it.
    private static func mode(_ node: LayerNode) -> String {
        if node.isMarker { return "deleted" }
        let types: [FileType: Character] = [
            .directory: "d", .symlink: "l", .fifo: "p", .characterDevice: "c", .blockDevice: "b",
            .socket: "s",
        ]
        var text = String(types[node.type] ?? "-")
        for (place, special) in [(6, (0o4000, "s")), (3, (0o2000, "s")), (0, (0o1000, "t"))] {
            let bits = node.permissions >> UInt32(place)
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let hasSpecial = node.permissions & UInt32(special.0) != 0
            let executes = bits & 1 != 0
            text += hasSpecial ? (executes ? special.1 : special.1.uppercased()) : executes ? "x" : "-"
        }
        return text
    }
}
