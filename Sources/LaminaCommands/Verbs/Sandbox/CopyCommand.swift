// `lamina cp`: files between the host and a sandbox.

import ArgumentParser
import Glibc
import LaminaCore
import LaminaEngine

/// `lamina cp`
struct CopyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy files between the host and a sandbox.",
        usage: """
            lamina cp [<options>] <sandbox>:<src> <dest>|-
            lamina cp [<options>] <src>|- <sandbox>:<dest>
            """,
        discussion: """
            A directory that is copied to one that is there goes into it, with /. at its end only what it holds; \
            one that is not there is made. - is a tar, on stdin of what goes into DEST, on stdout of SRC. A path of \
            the host that holds a colon begins with / or ./. A sandbox that is not mounted is mounted meanwhile.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(
        name: [.short, .long],
        help: "Keep owners; else files are root's in the sandbox, and yours on the host.")
    var archive = false

    @Flag(name: [.customShort("L"), .customLong("follow-link")], help: "Follow a symlink at SRC.")
    var followLink = false

    @Flag(name: [.short, .long], help: "Do not say how much was copied.")
    var quiet = false

    @Argument(help: ArgumentHelp("What to copy.", valueName: "src"))
    var source: String

    @Argument(help: ArgumentHelp("Where to.", valueName: "dest"))
    var destination: String

    func run() throws {
        var options = CopyOptions()
        options.keepsOwners = archive
        options.followsLink = followLink
        let from = Self.parse(source)
        let to = Self.parse(destination)
        let count = try Interruption.during { cancellation throws(LaminaError) in
            options.cancellation = cancellation
            let engine = try global.engine()
            switch (from.sandbox, to.sandbox) {
            case (let name?, nil):
                if destination == "-" && isatty(STDOUT_FILENO) == 1 {
                    throw LaminaError(.usage, "stdout", "is a terminal: give a file or a pipe")
                }
                let end = destination == "-" ? CopyEnd.stream(STDOUT_FILENO) : .path(to.path)
                return try engine.copy(from: from.path, of: name, to: end, options)
            case (nil, let name?):
                if source == "-" && Terminal.inputIsTerminal {
                    throw LaminaError(.usage, "stdin", "is a terminal: give a tar")
                }
                let end = source == "-" ? CopyEnd.stream(STDIN_FILENO) : .path(from.path)
                return try engine.copy(end, into: to.path, of: name, options)
            case (_?, _?):
                throw LaminaError(.usage, "cp", "copying between sandboxes is not supported")
            case (nil, nil):
                throw LaminaError(.usage, "cp", "must specify at least one sandbox, as SANDBOX:PATH")
            }
        }
        if !quiet && destination != "-" {
            Terminal.draw(
                "Successfully copied \(Format.size(Int64(clamping: count))) to \(Terminal.clean(destination))\n"
            )
        }
    }

    /// Docker's rule: what is before a colon is a sandbox, unless it begins like a path.
    private static func parse(_ text: String) -> (sandbox: String?, path: ByteString) {
        guard !text.hasPrefix("/"), !text.hasPrefix("."), let colon = text.firstIndex(of: ":") else {
            return (nil, ByteString(text))
        }
        return (String(text[..<colon]), ByteString(String(text[colon...].dropFirst())))
    }
}
