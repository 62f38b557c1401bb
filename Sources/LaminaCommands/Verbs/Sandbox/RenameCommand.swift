// `lamina rename`: another name for a sandbox.

import ArgumentParser
import LaminaEngine

/// `lamina rename`
struct RenameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a sandbox another name.",
        discussion: "A mounted sandbox stays mounted.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    @Argument(help: ArgumentHelp("Letters, digits, '_', '.' and '-'.", valueName: "new-name"))
    var name: String

    func run() throws {
        try global.engine().rename(sandbox, to: name)
    }
}
