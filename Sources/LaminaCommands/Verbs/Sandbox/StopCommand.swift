// `lamina stop`: the end of what `lamina run` started.

import ArgumentParser
import LaminaEngine

/// `lamina stop`
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "End the programs that run in sandboxes.",
        discussion: """
            Sends SIGTERM, then SIGKILL. Returns when the sandbox is unmounted, and removed where it was run with --rm.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        name: [.customShort("t"), .customLong("time"), .customLong("timeout")],
        help: ArgumentHelp("How long a program may take before it is killed.", valueName: "seconds"))
    var seconds = 10

    @Argument(help: ArgumentHelp("Sandboxes: ids, starts of ids, or names.", valueName: "sandbox"))
    var sandboxes: [String]

    func validate() throws {
        guard (0...86_400).contains(seconds) else { throw ValidationError("-t takes 0 to 86400 seconds") }
    }

    func run() throws {
        let engine = try global.engine()
        try forEach(sandboxes) { name throws(LaminaError) in
            try engine.stop(name, seconds: seconds)
            print(name)
        }
    }
}
