// What a prune is asked to remove.

import LaminaCore

/// What a prune is about.
public enum PruneKind: String, Sendable, Hashable, CaseIterable {
    /// Images that no sandbox uses.
    case image
    /// Sandboxes that are not mounted, with everything written in them.
    case sandbox
    /// Volumes that no sandbox uses.
    case volume
    /// Content that nothing refers to, and unfinished work of processes that are gone.
    case cache
}

/// What to remove, and how.
public struct PruneOptions: Sendable {
    public var kinds: Set<PruneKind> = [.image, .cache]
    /// Every unused image, and volumes that have a name; otherwise images without a name and anonymous volumes.
    public var all = false
    public var filter = PruneFilter()
    /// Remove unused images, the one longest unused first, until the content takes at most this many bytes on
    /// disk; nil: all that `all` and the filter let through.
    public var keepStorage: Int64?
    /// Remove blobs of layers, which the store can write again from the layers.
    public var dropBlobs = false
    /// Remove nothing, and report what would go.
    public var dryRun = false
    /// How long to wait, in seconds, for processes that may be reading what goes. What they keep goes with the
    /// next prune.
    public var patience = 10

    public init() {}
}

/// What a prune removed, or would remove.
public struct PruneReport: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case sandbox, image, volume, chain, layer, blob, object, leftover
    }

    /// One thing that is gone.
    public struct Item: Sendable, Hashable {
        public var kind: Kind
        /// A digest, a sandbox's id, a volume's name, a name below `ingest/` or `volumes/` and one below that.
        public var name: String
        /// Bytes on disk.
        public var size: Int64
    }

    /// Normalised references of removed images.
    public var untagged: [String] = []
    public var items: [Item] = []
    /// Bytes that are out of their place, and wait for a process that may be reading them.
    public var waiting: Int64 = 0
    /// Bytes on disk of all items that are gone for good.
    public var reclaimed: Int64 { items.reduce(0) { $0 &+ $1.size } &- waiting }
}
