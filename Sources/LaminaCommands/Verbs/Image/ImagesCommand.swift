// `lamina images`: one row for each name of each image.

import ArgumentParser
import LaminaEngine

/// `lamina images`
struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List images.",
        discussion: """
            A U in the column EXTRA says that sandboxes use the image.

            Filters: dangling=true|false, label=KEY[=VALUE], before=IMAGE, since=IMAGE, reference=PATTERN. \
            Fields of templates: \(ImageRow.view.fields.map { ".\($0.name)" }.joined(separator: " ")).
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Taken for Docker's sake: there are no intermediate images.")
    var all = false

    @Flag(help: "Show digests of manifests.")
    var digests = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("List only some, as often as wanted.", valueName: "name=value"))
    var filter: [String] = []

    @Option(help: OutputFormat.help)
    var format: OutputFormat = .table

    @Flag(name: .customLong("no-trunc"), help: "Print whole ids.")
    var noTruncation = false

    @Flag(name: [.short, .long], help: "Print ids only.")
    var quiet = false

    @Flag(help: "Show the platform and manifests of each image beneath it.")
    var tree = false

    @Argument(help: ArgumentHelp("List only images of this name or pattern.", valueName: "repository[:tag]"))
    var reference: String?

    func validate() throws {
        if tree && (quiet || digests || noTruncation || !format.isPlainTable) {
            throw ValidationError("--tree goes with no other option of output")
        }
    }

    func run() throws {
        var filter = try ImageFilter(filter)
        if let reference { filter.references.append(reference) }
        let images = try global.engine().images(filter)
        if tree {
            for line in ImageTree.lines(images) { print(line) }
            return
        }
        if quiet {
            // An image of several names once, so that "rmi $(images -q)" meets it once.
            for image in images { print(noTruncation ? "\(image.id)" : Format.short(image.id)) }
            return
        }
        let rows = images.flatMap { image in
            (image.references.isEmpty ? [nil] : image.references.map(Optional.some)).map {
                ImageRow(image: image, reference: $0, isWhole: noTruncation)
            }
        }
        for line in try ImageRow.view(digests: digests).lines(rows, format) { print(line) }
    }
}
