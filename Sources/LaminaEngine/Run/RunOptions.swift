// RunOptions is what a container may be told beyond what its image says.

import LaminaCore

/// How a program is run in a sandbox.
public struct RunOptions: Sendable, Hashable {
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

    public init() {}
}

/// What starts containers from bundles, in the order in which they are looked for: crun refuses machines that
/// have both versions of cgroups.
public enum ContainerRuntime: String, Sendable, Hashable, CaseIterable {
    case runc
    case crun
}
