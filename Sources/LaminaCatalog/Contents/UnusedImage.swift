// An image as a prune sees it.

import LaminaCore

/// An image that a prune may remove.
public struct UnusedImage: Sendable, Hashable {
    public var id: Digest
    /// Normalised.
    public var references: [String]
    /// The config's own, RFC 3339.
    public var created: String?
    /// Seconds since the epoch.
    public var loaded: Int64
    public var used: Int64
}
