// The root command: the list of verbs and what holds for all of them.

import ArgumentParser
import LaminaEngine

struct LaminaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lamina",
        abstract: "Stores container images by content and mounts them as writable sandboxes.",
        discussion: """
            The store is DIR of --root, else LAMINA_ROOT, else /var/lib/lamina for root, else \
            $XDG_DATA_HOME/lamina or ~/.local/share/lamina. Completions of a shell: \
            lamina --generate-completion-script bash|zsh|fish.

            EXIT CODES
              0   success
            \(exitCodes)
            """,
        version: Version.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Images",
                subcommands: [
                    LoadCommand.self, SaveCommand.self, ImportCommand.self, ImagesCommand.self,
                    TagCommand.self,
                    RemoveImageCommand.self,
                    HistoryCommand.self, CommitCommand.self, VerifyCommand.self,
                ]),
            CommandGroup(
                name: "Sandboxes",
                subcommands: [
                    CreateCommand.self, MountCommand.self, UnmountCommand.self, ListCommand.self,
                    RunCommand.self, SuperviseCommand.self, StopCommand.self, BundleCommand.self,
                    CopyCommand.self, DiffCommand.self,
                    ExportCommand.self, RenameCommand.self,
                    RemoveCommand.self,
                    RedirectCommand.self, StatsCommand.self,
                    SandboxCommand.self,
                ]),
            CommandGroup(
                name: "The store",
                subcommands: [
                    InspectCommand.self, LayerCommand.self, VolumeCommand.self, PruneCommand.self,
                    SystemCommand.self, CheckCommand.self, ScrubCommand.self, RecoverCommand.self,
                    InformationCommand.self, VersionCommand.self, DocumentationCommand.self,
                ]),
        ])

    /// One line for each code of `LaminaError.Code`, the one place that defines them.
    private static var exitCodes: String {
        var lines: [String] = []
        for code in LaminaError.Code.allCases {
            let number = String(code.rawValue)
            lines.append("  " + number + String(repeating: " ", count: 4 - number.count) + code.meaning)
        }
        return lines.joined(separator: "\n")
    }
}
