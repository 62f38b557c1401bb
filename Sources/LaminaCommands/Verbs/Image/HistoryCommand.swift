// `lamina history`: the steps that made an image, newest first.

import ArgumentParser
import LaminaEngine

/// `lamina history`
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show how an image was made.",
        discussion: """
            SIZE is that of a step's layer as a tar. Fields of templates: \
            \(HistoryRow.view(human: true).fields.map { ".\($0.name)" }.joined(separator: " ")).
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: OutputFormat.help)
    var format: OutputFormat = .table

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp("Print sizes and times for people.", valueName: "true|false"))
    var human = true

    @Flag(name: .customLong("no-trunc"), help: "Print whole ids and commands.")
    var noTruncation = false

    @Flag(name: [.short, .long], help: "Print ids only.")
    var quiet = false

    @Argument(help: "A reference, an id or the start of one.")
    var image: String

    func run() throws {
        let engine = try global.engine()
        let image = try engine.image(image)
        let rows = try engine.history(of: image).enumerated().map { index, step in
            HistoryRow(step: step, image: index == 0 ? image : nil, isWhole: noTruncation)
        }
        if quiet {
            for row in rows { print(row.id) }
            return
        }
        for line in try HistoryRow.view(human: human).lines(rows, format) { print(line) }
    }
}

/// One step of a history.
struct HistoryRow {
    var step: ImageStep
    /// Of the newest step; those of older ones were never in this store, or are not known as such.
    var image: Image?
    var isWhole: Bool

    /// Characters of a command that the table shows.
    private static let commandWidth = 45

    static func view(human: Bool) -> ListView<HistoryRow> {
        ListView(
            fields: [
                .init("ID", "IMAGE") { $0.id },
                .init("CreatedSince", "CREATED") { row in
                    human ? row.step.createdSeconds.map { Format.age($0) } ?? "N/A" : row.step.created ?? ""
                },
                .init("CreatedAt", "CREATED AT") { $0.step.created ?? "" },
                .init("CreatedBy", "CREATED BY") { row in
                    let text = row.step.createdBy.replacing("\t", with: " ")
                    return row.isWhole ? text : Format.ellipsis(text, Self.commandWidth)
                },
                .init("Size", "SIZE") { human ? Format.size($0.step.size) : "\($0.step.size)" },
                .init("Comment", "COMMENT") { $0.step.comment },
            ], table: ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"])
    }

    var id: String {
        guard let image else { return "<missing>" }
        return isWhole ? "\(image.id)" : Format.short(image.id)
    }
}
