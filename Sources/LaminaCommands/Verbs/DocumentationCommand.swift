// `lamina documentation`: docs/COMMANDS.md, from the parser that reads the command line. Not listed in the help.

import ArgumentParser

/// `lamina documentation`
struct DocumentationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "documentation", abstract: "Print the help of all commands as Markdown.",
        shouldDisplay: false)

    /// Characters of a line of help.
    private static let columns = 100

    func run() {
        print(
            """
            # Commands

            What each command says of itself with `--help`. Made by `Tools/generate-commands`; a test compares.

            """)
        Self.printAll(LaminaCommand.self, ["lamina"])
    }

    private static func printAll(_ command: any ParsableCommand.Type, _ path: [String]) {
        print("## \(path.joined(separator: " "))\n")
        print("```")
        print(LaminaCommand.helpMessage(for: command, columns: columns).trimmingTrailingSpace)
        print("```\n")
        for below in command.configuration.subcommands where below.configuration.shouldDisplay {
            printAll(below, path + [below.configuration.commandName ?? ""])
        }
    }
}

extension String {
    /// Without white space at the ends of lines and of the whole.
    fileprivate var trimmingTrailingSpace: String {
        var lines = split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var line = line
            while line.last?.isWhitespace == true { line.removeLast() }
            return line
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
