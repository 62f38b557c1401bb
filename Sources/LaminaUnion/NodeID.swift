// NodeID owns the one rule by which the kernel, the lower tree and the sandbox name nodes.

import LaminaCore
import LaminaSystem

/// The identity of a node of the union, stable as long as the union lives.
///
/// A node that the layers know keeps the number that its inode has in the chain image
/// (`nid`), before and after copy-up; so nothing has to be remembered for it. A node born
/// in the sandbox has the top bit set and a number that is never given twice.
public struct NodeID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The root, in FUSE and in every chain image.
    public static let root = NodeID(rawValue: 1)

    static let upperBit: UInt64 = 1 << 63

    /// Of a node that lies beneath a redirect. It has no nid, and the sandbox knows nothing of it.
    static let redirectedBit: UInt64 = 1 << 62

    /// Beside it, of a node of an image that a redirect shows: which image, and its number there.
    static let imageBit: UInt64 = 1 << 61
    static let imageShift: UInt64 = 40

    static func inImage(_ number: UInt64, _ nid: UInt64) -> NodeID {
        NodeID(rawValue: redirectedBit | imageBit | number << imageShift | nid)
    }

    /// The image's number and the node's; nil for all other nodes.
    var imageNode: (image: Int, nid: UInt64)? {
        guard isRedirected, rawValue & NodeID.imageBit != 0 else { return nil }
        let number = (rawValue & (NodeID.imageBit - 1)) >> NodeID.imageShift
        return (Int(number), rawValue & (1 << NodeID.imageShift - 1))
    }

    /// Whether a redirect answers for this node.
    @inline(__always)
    public var isRedirected: Bool {
        rawValue & (NodeID.upperBit | NodeID.redirectedBit) == NodeID.redirectedBit
    }

    static func born(_ number: UInt64) -> NodeID {
        NodeID(rawValue: number | upperBit)
    }

    /// The number in the chain image; nil for a node born in the sandbox and beneath a redirect.
    public var nid: UInt64? {
        rawValue & (NodeID.upperBit | NodeID.redirectedBit) == 0 ? rawValue : nil
    }

    /// The inode number shown for a file born in the sandbox. Chain images hold fewer than
    /// 2³² nodes, so that the two ranges never meet.
    static func inodeNumber(ofUpper inode: UInt64) -> UInt64 {
        inode &+ (1 << 32)
    }
}

/// For how long what is said of a node or a name may be remembered.
public enum NodeLifetime: Sendable {
    /// As long as nobody takes it back: only who answers changes it.
    case own
    /// Of a volume that one redirect alone leads to.
    case claimed
    /// For a short time: others may change it.
    case shared
    /// Not at all.
    case fleeting
}

extension FileStatus {
    /// For how long this may be remembered.
    public var lifetime: NodeLifetime {
        if isFleeting { return .fleeting }
        return !isShared ? .own : isClaimed ? .claimed : .shared
    }
}

/// A node that a lookup found: its identity and what stat shows of it.
public struct Entry: Sendable {
    public var id: NodeID
    public var status: FileStatus
    /// Whether the kernel has to ask for the name each time, whatever it may remember of the node.
    public var isNameFleeting = false
}
