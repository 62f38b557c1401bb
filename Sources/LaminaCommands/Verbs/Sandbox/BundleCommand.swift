// `lamina bundle`: a mounted sandbox for a container runtime.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina bundle`
struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Write an OCI runtime bundle for a mounted sandbox.",
        discussion: "crun run --bundle DIR NAME starts it. The container has the host's network.")

    @OptionGroup var global: GlobalOptions

    @OptionGroup var process: ProcessOptions

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    @Argument(help: ArgumentHelp("The bundle's directory; it is made.", valueName: "dir"))
    var directory: String

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("What to run, if not the image's command.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        try global.engine().bundle(sandbox, in: ByteString(directory), process.value(command))
    }
}
