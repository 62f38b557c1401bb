// RunOptions is what a container may be told beyond what its image says.

import LaminaCore

/// How a program is run in a sandbox.
public struct RunOptions: Sendable, Hashable, Codable {
    /// The command in place of the image's `Cmd`; empty for the image's.
    public var command: [String] = []
    /// In place of the image's `Entrypoint`, whose `Cmd` then does not count; an empty text for none.
    public var entrypoint: String?
    /// `NAME=VALUE`, or `NAME` for the caller's own value.
    public var environment: [String] = []
    public var workingDirectory: String?
    /// `USER[:GROUP]`, names or numbers.
    public var user: String?
    /// Whether the program gets a terminal.
    public var hasTerminal = false
    public var readOnly = false
    /// Whether the program gets the caller's standard input; otherwise it reads nothing. A terminal always does.
    public var isInteractive = false
    /// Whether the sandbox and its unnamed volumes go when the program has ended.
    public var removesSandbox = false
    /// As of a mount.
    public var verifiesOnOpen = false

    public init() {}
}
