// Redirect owns what is recorded of one node of a container's tree that hands everything beneath it to
// another place. Its target is absolute and clean: no `.`, `..`, empty component or trailing slash.

/// A volume, bind, tmpfs or image at a place of a sandbox's tree.
public struct Redirect: Sendable, Hashable {
    /// What the place is handed to.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A file or directory of the host.
        case bind
        /// A volume of the store.
        case volume
        /// Memory, gone with the mount.
        case tmpfs
        /// The tree of an image, read-only.
        case image
    }

    /// How soon a change that somebody makes on the host is seen.
    public enum Consistency: String, Sendable, Hashable, CaseIterable {
        /// After a documented time.
        case cached
        /// At once.
        case consistent
    }

    public var kind: Kind
    /// Where it stands in the container's tree.
    public var target: ByteString
    /// A bind's absolute path, as it was given but clean; the name of a volume; the id of an image,
    /// `sha256:…`; empty for a tmpfs.
    public var source: ByteString
    /// Where in the volume or image to start, relative and never above it. Nil: at its root.
    public var subpath: ByteString?
    /// Whether changes are refused with `EROFS`.
    public var readOnly = false
    public var consistency = Consistency.cached
    /// Whether a bind's missing source is made, as a directory.
    public var createsSource = false
    /// Whether a bind may lead to the store, `/`, `/proc` or `/sys`.
    public var allowsSpecial = false
    /// Whether a new volume stays empty, rather than take what the image has at the target.
    public var noCopy = false
    /// Whether the volume was made for this sandbox and is known by no name.
    public var isAnonymous = false
    /// Bytes that a tmpfs holds at most; nil: half of the memory.
    public var size: Int64?
    /// Permissions of a tmpfs's root; nil: 1777.
    public var permissions: UInt32?
    /// What the caller named the image.
    public var imageName: String?
    /// The chain of the image.
    public var chainID: Digest?

    public init(_ kind: Kind, source: ByteString = ByteString(), target: ByteString) {
        self.kind = kind
        self.source = source
        self.target = target
    }
}
