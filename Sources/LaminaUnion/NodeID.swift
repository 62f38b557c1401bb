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

/// A node that a lookup found: its identity and what stat shows of it.
public struct Entry: Sendable {
    public var id: NodeID
    public var status: FileStatus
}
