// MountSettings is what the caller of a mount may choose.

import LaminaCore

/// How a sandbox is mounted.
public struct MountSettings: Sendable, Hashable {
    /// All changes are refused.
    public var readOnly = false
    /// Nothing is made durable until the sandbox is unmounted: faster, and a crash of the machine or
    /// of the server leaves a sandbox that is only mounted again with `force`.
    public var isVolatile = false
    /// Takes a sandbox as it is whose volatile mount did not end cleanly.
    public var force = false
    /// Which ids the mount shows for those of the image; nil shows them as they are.
    public var users: IdentityMap?
    public var groups: IdentityMap?
    /// Whether a name leads to what differs from it by case alone, where nothing has the name itself.
    public var ignoresCase = false
    public var data = DataMode.auto
    /// Whether the server moves all bytes itself.
    public var withoutPassthrough = false
    /// Whether the mount compares the image's bytes with their digests and checksums before it shows them: objects when
    /// they are first opened, everything else at once. What is damaged gives `EIO`, or no mount.
    public var verifiesOnOpen = false

    /// Who moves the bytes of open files.
    public enum DataMode: String, Sendable, Hashable, CaseIterable {
        /// What is best here.
        case auto
        /// The kernel, through the files on disk that hold them; the server for all others.
        case passthrough
        /// The kernel, from its page cache, without asking at each open.
        case cached
    }

    public init() {}

    /// What the server is told.
    var arguments: [ByteString] {
        var result: [ByteString] = readOnly ? ["--read-only"] : []
        if isVolatile { result.append("--volatile") }
        if force { result.append("--force") }
        if ignoresCase { result.append("--ignore-case") }
        if let users { result += ["--uidmap", ByteString(users.description)] }
        if let groups { result += ["--gidmap", ByteString(groups.description)] }
        if data != .auto { result += ["--data", ByteString(data.rawValue)] }
        if withoutPassthrough { result.append("--no-passthrough") }
        if verifiesOnOpen { result.append("--verify-on-open") }
        return result
    }
}
