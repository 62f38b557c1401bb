// ProcessOptions are what `run` and `bundle` may be told of the program.

import ArgumentParser
import LaminaEngine

struct ProcessOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "A variable, as often as wanted; NAME alone takes yours.", valueName: "name[=value]"))
    var env: [String] = []

    @Option(name: [.short, .long], help: ArgumentHelp("Where the program starts.", valueName: "dir"))
    var workdir: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Who runs it: names of the sandbox's, or numbers.", valueName: "user[:group]"))
    var user: String?

    @Option(help: "In place of the image's; the image's command then does not count.")
    var entrypoint: String?

    func value(_ command: [String]) -> RunOptions {
        var options = RunOptions()
        options.command = command.first == "--" ? Array(command.dropFirst()) : command
        options.entrypoint = entrypoint
        options.environment = env
        options.workingDirectory = workdir
        options.user = user
        return options
    }
}
