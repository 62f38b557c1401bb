// `lamina export`: a sandbox's tree as one tar.

import ArgumentParser
import LaminaEngine

/// `lamina export`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a sandbox's whole tree as a tar, to stdout by default.",
        discussion: """
            The sandbox may be mounted and written to, as for lamina commit. Layers and the sandbox's changes are one tree in it; what volumes \
            and binds hold is not in it.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Write to a file.", valueName: "file"))
    var output: String?

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    func run() throws {
        try Interruption.during { cancellation throws(LaminaError) in
            let engine = try global.engine()
            try OutputFile.write(to: output) { file throws(LaminaError) in
                try engine.export(sandbox, to: file, cancellation: cancellation)
            }
        }
    }
}
