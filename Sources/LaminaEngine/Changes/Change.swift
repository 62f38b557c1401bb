// Change is one path at which a sandbox differs from its image.

import LaminaCore
import LaminaSystem

/// What a layer says of a node of `upper` beside its status.
struct UpperDetails: Sendable {
    var symlinkTarget = ByteString()
    var extendedAttributes: [ExtendedAttribute]
    /// A regular file of a mounted sandbox.
    var file: HeldFile?
}

/// What a sandbox did to a path.
public struct SandboxChange: Sendable, Hashable {
    /// Docker's letters.
    public enum Kind: String, Sendable, Hashable {
        case changed = "C"
        case added = "A"
        case deleted = "D"
    }

    public var kind: Kind
    /// Absolute.
    public var path: ByteString
}

/// A path of a sandbox that a layer over the image has to say something about.
struct Change: Sendable {
    enum Node: Sendable {
        /// The layers' node is hidden.
        case gone
        /// What `upper` has there. `merged` is the lower directory merged with the one that it stands in;
        /// without `details` where only names are wanted.
        case upper(FileStatus, merged: UInt64?, UpperDetails?)
        /// A lower node that came here with a directory that was moved.
        case lower(UInt64)
    }

    /// Without a leading slash; empty for the root.
    var path: ByteString
    var node: Node
    var kind: SandboxChange.Kind
    /// For a directory: whether nothing of the image shows in it.
    var isOpaque = false
    /// For a directory: whether it is as the image has it, and matters only for what is beneath.
    var isUnchanged = false
}
