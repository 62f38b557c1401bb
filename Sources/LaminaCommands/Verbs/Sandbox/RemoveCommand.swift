// `lamina rm`: sandboxes go with what was written in them.

import ArgumentParser
import LaminaEngine

/// `lamina rm`
struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove sandboxes with everything written in them.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "End what runs in it and unmount it first.")
    var force = false

    @Flag(name: [.short, .long], help: "Also remove the volumes that were made for it without a name.")
    var volumes = false

    @Argument(help: ArgumentHelp("Sandboxes: ids, starts of ids, or names.", valueName: "sandbox"))
    var sandboxes: [String]

    func run() throws {
        let engine = try global.engineForRemoving()
        try forEach(sandboxes) { name throws(LaminaError) in
            try engine.remove(name, force: force, volumes: volumes)
            print(name)
        }
    }
}
