// `lamina system`: verbs about the store as a whole.

import ArgumentParser

/// `lamina system`
struct SystemCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Look at the store as a whole.",
        subcommands: [DiskUsageCommand.self])
}
