// IndexError owns every way in which reading, writing or merging an index can fail.

import LaminaCore

/// What is wrong with an index, or with the input of one.
public enum IndexError: Error, Hashable, Sendable {
    /// The file is no index of ours: the reason says which property it lacks.
    case notAnIndex(StaticReason)
    /// A version of the format that this program does not know.
    case unsupportedVersion(UInt32)
    /// A structure that contradicts itself or leaves the file, at this node id or byte.
    case damaged(StaticReason, at: UInt64)
    /// The node id is of another type than the call needs.
    case notADirectory(UInt64)
    /// The node id is of another type than the call needs.
    case notASymlink(UInt64)
    /// The tree does not fit the format.
    case tooLarge(StaticReason)
    /// A chain of no layer, or of more than `Limits.layersPerImage`.
    case layerCount(Int)
    /// A hard link of a layer names a path that no layer below it has.
    case missingLinkTarget(path: ByteString, target: ByteString)
    /// A system call failed while writing or mapping the index.
    case system(Errno)
}

/// A fixed text of a message, so that throwing allocates nothing.
public struct StaticReason: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    private let text: StaticString

    public init(stringLiteral text: StaticString) {
        self.text = text
    }

    public var description: String { text.description }

    public static func == (left: StaticReason, right: StaticReason) -> Bool {
        left.description == right.description
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(description)
    }
}

extension IndexError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAnIndex(let reason): "not an index: \(reason)"
        case .unsupportedVersion(let version): "index of format version \(version), which is not known here"
        case .damaged(let reason, let place): "damaged index: \(reason) (at \(place))"
        case .notADirectory(let nid): "node \(nid) is not a directory"
        case .notASymlink(let nid): "node \(nid) is not a symlink"
        case .tooLarge(let reason): "tree too large for an index: \(reason)"
        case .layerCount(let count): "\(count) layers: from 1 to \(Limits.layersPerImage) can be merged"
        case .missingLinkTarget(let path, let target):
            "\(path): hard link to \(target), which no layer below has"
        case .system(let error): "index file: \(error)"
        }
    }
}
