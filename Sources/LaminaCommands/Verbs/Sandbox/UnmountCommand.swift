// `lamina umount`: returns when the server has ended.

import ArgumentParser
import LaminaEngine

/// `lamina umount`
struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount", abstract: "Unmount a sandbox; what was written stays in it.",
        discussion: "Also cleans up a mount whose server has died. Returns when the server has ended.",
        aliases: ["unmount"])

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Detach now; the server ends with the mount's last user.")
    var lazy = false

    @Argument(help: ArgumentHelp("Sandboxes: ids, starts of ids, or names.", valueName: "sandbox"))
    var sandboxes: [String]

    func run() throws {
        let engine = try global.engine()
        try forEach(sandboxes) { name throws(LaminaError) in try engine.unmount(name, lazy: lazy) }
    }
}
