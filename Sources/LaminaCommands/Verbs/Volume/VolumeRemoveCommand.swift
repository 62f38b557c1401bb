// `lamina volume rm`: volumes go with what is in them.

import ArgumentParser
import LaminaEngine

/// `lamina volume rm`
struct VolumeRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove volumes with everything in them.",
        discussion: "A volume that a sandbox uses stays, whether it is mounted or not.", aliases: ["remove"])

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "No error for a volume that there is not.")
    var force = false

    @Argument(help: ArgumentHelp("Volumes.", valueName: "name"))
    var names: [String]

    func run() throws {
        let engine = try global.engineForRemoving()
        try forEach(names) { name throws(LaminaError) in
            try engine.removeVolume(name, force: force)
            print(name)
        }
    }
}
