// StoreOwner owns the answer to "whose is this file?".

import LaminaCore

/// Why something is in the store.
public struct StoreOwner: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case image, sandbox, volume
        /// Content out of its place that a process may still be reading.
        case lease
        /// Unfinished work of a process that lives, or layers that it has finished.
        case ingest
        /// The catalogue and the rooms themselves.
        case store
        /// What the next prune removes.
        case garbage
        /// What Lamina did not put there, and never touches.
        case foreign
    }

    public var kind: Kind
    /// Who: references or ids of images, names of sandboxes and volumes, directories of work. Sorted.
    public var names: [String]
    /// One line for people.
    public var reason: String

    init(_ kind: Kind, _ names: [String] = [], _ reason: String) {
        self.kind = kind
        self.names = names
        self.reason = reason
    }
}

/// A file or directory below the store's root.
public struct OwnedFile: Sendable {
    /// Below the root; empty for the root itself.
    public var path: ByteString
    /// Bytes on disk, as `du` counts them: a file of several names has them once.
    public var diskSize: Int64
    public var owner: StoreOwner
}
