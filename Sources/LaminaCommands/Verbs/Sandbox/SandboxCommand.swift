// `lamina sandbox`: what can be done to a sandbox besides mounting it.

import ArgumentParser
import LaminaEngine

/// `lamina sandbox`
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Make sandboxes readable without Lamina.",
        subcommands: [SandboxMaterializeCommand.self])
}

/// `lamina sandbox materialize`
struct SandboxMaterializeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "materialize",
        abstract: "Give partly written files all their bytes, so that kernel overlayfs can read them.",
        discussion: """
            A large file that is written in part keeps only its own blocks in the sandbox. This fills the \
            rest from the layers. The sandbox must not be mounted.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Also files of which only the attributes changed.")
    var all = false

    @Argument(help: ArgumentHelp("Sandboxes: ids, starts of ids, or names.", valueName: "sandbox"))
    var sandboxes: [String]

    func run() throws {
        let engine = try global.engine()
        try forEach(sandboxes) { name throws(LaminaError) in
            let count = try engine.materialize(name, all: all)
            print("\(name): \(count) \(count == 1 ? "file" : "files") filled")
        }
    }
}
