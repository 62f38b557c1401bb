// `lamina redirect`: volumes, binds and the like of a sandbox that is there.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina redirect`
struct RedirectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redirect",
        abstract: "Add, list and remove volumes and binds of a sandbox, mounted or not.",
        subcommands: [RedirectAddCommand.self, RedirectListCommand.self, RedirectRemoveCommand.self])
}

/// What `create` and `redirect add` have in common.
struct RedirectOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "A volume or a bind; a missing SRC is made. Options: ro, rw, nocopy, cached, consistent.",
            valueName: "[src:]dst[:options]"))
    var volume: [String] = []

    @Option(
        help: ArgumentHelp(
            "The same, or a tmpfs or an image, as fields: type=bind,src=/a,dst=/b,readonly.",
            valueName: "key=value,..."))
    var mount: [String] = []

    @Flag(
        name: .customLong("allow-special"),
        help: "Let binds lead to the store, to / and to what is below /proc and /sys.")
    var allowSpecial = false

    func requests() throws(LaminaError) -> [RedirectRequest] {
        var requests: [RedirectRequest] = []
        for text in volume { requests.append(try RedirectRequest(volume: ByteString(text))) }
        for text in mount { requests.append(try RedirectRequest(mount: ByteString(text))) }
        return requests
    }
}

/// `lamina redirect add`
struct RedirectAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add volumes and binds to a sandbox, as create takes them.",
        discussion: "In a mounted sandbox they are seen at once.")

    @OptionGroup var global: GlobalOptions

    @OptionGroup var redirects: RedirectOptions

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    func validate() throws {
        guard !redirects.volume.isEmpty || !redirects.mount.isEmpty else {
            throw ValidationError("give at least one -v or --mount")
        }
    }

    func run() throws {
        try global.engine().addRedirects(
            redirects.requests(), to: sandbox, allowSpecial: redirects.allowSpecial)
    }
}

/// `lamina redirect ls`
struct RedirectListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the volumes and binds of a sandbox.", aliases: ["list"])

    @OptionGroup var global: GlobalOptions

    @Option(help: "table or json.")
    var format: ListFormat = .table

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    func run() throws {
        let engine = try global.engine()
        let redirects = try engine.sandbox(sandbox).redirects
        switch format {
        case .json:
            var volumes: [String: Volume] = [:]
            for volume in try engine.volumes() { volumes[volume.name] = volume }
            for redirect in redirects { print(Format.json(MountFields.all(redirect, volumes: volumes))) }
        case .table:
            var table = Table(["TYPE", "TARGET", "MODE", "SOURCE"])
            for redirect in redirects {
                let source = redirect.imageName ?? redirect.source.description
                table.add([
                    redirect.kind.rawValue, redirect.target.description, redirect.readOnly ? "ro" : "rw",
                    source,
                ])
            }
            for line in table.lines() { print(line) }
        }
    }
}

/// `lamina redirect rm`
struct RedirectRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove volumes and binds from a sandbox.",
        discussion: """
            Volumes themselves stay. In a mounted sandbox, one with open files, or that is otherwise in use, is \
            removed with --lazy only: open files go on working, and names lead to what the image has there.
            """,
        aliases: ["remove"])

    @OptionGroup var global: GlobalOptions

    @Flag(help: "Also those that are in use.")
    var lazy = false

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    @Argument(help: ArgumentHelp("Where they stand.", valueName: "target"))
    var targets: [String]

    func run() throws {
        let engine = try global.engine()
        try forEach(targets) { target throws(LaminaError) in
            try engine.removeRedirect(at: ByteString(target), of: sandbox, lazy: lazy)
        }
    }
}
