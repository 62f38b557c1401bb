// Which file on disk holds all bytes of an open file, so that the kernel may read and write it
// without asking (Linux `fs/fuse/passthrough.c`).
//
// Invariant: who may write is never given a file of the layers.

import Glibc
import LaminaCore
import LaminaSystem

/// A file on disk that is, byte for byte, what an open file shows.
public struct BackingFile: Sendable {
    public enum Kind: Hashable, Sendable {
        /// The object of this lower node.
        case lower(nid: UInt64)
        /// The node's own file in the sandbox.
        case upper
    }

    public let kind: Kind
    public let file: SharedDescriptor
    let content: LowerContent?
}

extension OpenFile {
    /// The file that holds all bytes; nil when they are in two files, or a part of one.
    /// - Parameter writes: whether the file is open for writing.
    public func backing(writes: Bool) throws(Errno) -> BackingFile? {
        switch try current() {
        case .lower(let content):
            guard !writes, id.nid != nil || id.isRedirected else { return nil }
            return try lowerBacking(id.rawValue, content)
        case .upper(let file, let use):
            guard let data = use?.data, !data.isWhole else {
                return BackingFile(kind: .upper, file: file, content: nil)
            }
            // A node with a number of its own got it so that it can be written: it stays clear of objects.
            guard !writes, id.nid != nil else { return nil }
            let size = UInt64(clamping: try file.descriptor.status().size)
            guard let content = try data.wholeLower(size: size) else { return nil }
            return try lowerBacking(data.source, content)
        }
    }

    private func lowerBacking(_ nid: UInt64, _ content: LowerContent) throws(Errno) -> BackingFile? {
        guard content.isObject, union.lower.objectsAreReadOnly,
            try content.file.descriptor.status().size == Int64(clamping: content.length)
        else { return nil }
        return BackingFile(kind: .lower(nid: nid), file: content.file, content: content)
    }

    /// The kernel was given `backing`: this file shows the same from now on.
    public func use(_ backing: BackingFile) {
        if let content = backing.content { pin(to: content) }
    }
}

extension UpperData {
    /// The lower file, when it is all that a copy of `size` bytes shows.
    func wholeLower(size: UInt64) throws(Errno) -> LowerContent? {
        if isWhole { return nil }
        return try locked { (state) throws(Errno) -> LowerContent? in
            guard case .lower = state.kind, state.limit == size else { return nil }
            let content = try loadContent(&state)
            return content.length == size ? content : nil
        }
    }
}

/// A name of a node, as the kernel knows it.
public struct NodeName: Sendable {
    public let parent: NodeID
    public let name: ByteString
}

extension Union {
    /// Gives a lower file's node another number, copying it up for that. Who has it open goes on
    /// under the old one; opening that answers `ESTALE`, upon which the kernel looks its path up again.
    /// A node gets no third number.
    /// - Returns: the names by which the kernel may still come to the old number; nil when `id` was a
    ///   former number already.
    @discardableResult
    public func renumber(_ id: NodeID) throws(Errno) -> [NodeName]? {
        try change { (namespace) throws(Errno) in
            let node = try namespace.copyUp(id)
            guard node.id == id else { return nil }
            namespace.table.renumber(node)
            return node.names.map { NodeName(parent: $0.parent.id, name: $0.name) }
        }
    }

    /// Notes that a program may write into a file through a mapping; true the first time.
    public func noteMapping(of id: NodeID) throws(Errno) -> Bool {
        if id.isRedirected { return try redirects.table.node(id).noteMapping() }
        return try withNamespace { (namespace) throws(Errno) in
            guard let node = namespace.table[id], !node.mayBeMapped else { return false }
            node.mayBeMapped = true
            return true
        }
    }

    /// Whether store or sandbox are on a filesystem that stands on others.
    public var isStacked: Bool { lower.isStacked || LowerTree.isStacked(upper.root) }
}
