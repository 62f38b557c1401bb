// `lamina tag`: one more name for an image.

import ArgumentParser
import LaminaEngine

/// `lamina tag`
struct TagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Give an image a name.",
        discussion: "An image that has the name already loses it. A name without a tag gets latest.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A reference, an id or the start of one.", valueName: "image"))
    var source: String

    @Argument(help: ArgumentHelp("The name.", valueName: "target[:tag]"))
    var target: String

    func run() throws {
        try global.engine().tag(source, as: target)
    }
}
