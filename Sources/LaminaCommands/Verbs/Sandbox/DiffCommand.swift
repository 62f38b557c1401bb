// `lamina diff`: what a sandbox changed.

import ArgumentParser
import LaminaEngine

/// `lamina diff`
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "List what a sandbox added (A), changed (C) and deleted (D).",
        discussion: """
            Reads the sandbox alone, never the image. A directory that was moved is one D and one A; what moved \
            with it is not listed.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    func run() throws {
        for change in try global.engine().diff(sandbox) { print("\(change.kind.rawValue) \(change.path)") }
    }
}
