// `lamina run`: a program in a new sandbox, until it ends.

import ArgumentParser
import Glibc
import LaminaCore
import LaminaEngine

/// `lamina run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a program in a new sandbox, and unmount it when it ends.",
        discussion: """
            Namespaces, cgroups and capabilities are made by crun or runc. The container has the host's network. \
            The exit code is the program's; 125 when Lamina or the runtime fails, 126 when the program cannot be \
            invoked, 127 when it is not found.
            """)

    @OptionGroup var global: GlobalOptions

    @OptionGroup var process: ProcessOptions

    @Flag(help: "Remove the sandbox and its unnamed volumes afterwards.")
    var rm = false

    @Flag(
        name: [.short, .long],
        help:
            "Return when the program is there, and print the id; output goes to container.log beside the sandbox."
    )
    var detach = false

    @Flag(name: [.short, .long], help: "Give the program this command's standard input.")
    var interactive = false

    @Flag(name: [.short, .long], help: "Give the program a terminal.")
    var tty = false

    @Flag(name: .customLong("verify-on-open"), help: ArgumentHelp(VerifyOnOpen.help))
    var verifyOnOpen = false

    @Option(help: "A name for the sandbox; one is made up otherwise.")
    var name: String?

    @Option(help: "crun or runc; otherwise the first that is there.")
    var runtime: ContainerRuntime?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("A volume or a bind, as of lamina create.", valueName: "[src:]dst[:options]"))
    var volume: [String] = []

    @Option(help: ArgumentHelp("The same as fields, as of lamina create.", valueName: "key=value,..."))
    var mount: [String] = []

    @Argument(help: "A reference, an id or the start of one.")
    var image: String

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("What to run, if not the image's command.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        if detach && tty { throw ValidationError("-d and -t exclude each other: there is no attach") }
    }

    func run() throws {
        do {
            try runProgram()
        } catch let error as LaminaError {
            Terminal.error(error.message)
            throw ExitCode(error.code.ofRun)
        }
    }

    private func runProgram() throws {
        if tty, isatty(0) == 0 { throw LaminaError(.usage, "-t", "the input device is not a TTY") }
        let engine = try global.engine()
        var redirects: [RedirectRequest] = []
        for text in volume { redirects.append(try RedirectRequest(volume: ByteString(text))) }
        for text in mount { redirects.append(try RedirectRequest(mount: ByteString(text))) }
        let sandbox = try engine.create(image, name: name, redirects: redirects)
        var options = process.value(command)
        options.hasTerminal = tty
        options.isInteractive = interactive && !detach
        options.removesSandbox = rm
        options.verifiesOnOpen = verifyOnOpen
        if detach {
            try Supervisor.start(sandbox, engine, runtime, options)
            print(sandbox.id)
            return
        }
        let code = try engine.run(sandbox.id, runtime: runtime, options)
        if code != 0 { throw ExitCode(code) }
    }
}

extension LaminaError.Code {
    /// The exit code of `lamina run`, where all others are the program's: Docker's.
    var ofRun: Int32 {
        switch self {
        case .usage, .interrupted, .programNotFound, .programUnusable: rawValue
        case .failure, .badInput, .notFound, .busy, .noSpace: 125
        }
    }
}

extension ContainerRuntime: ExpressibleByArgument {}
