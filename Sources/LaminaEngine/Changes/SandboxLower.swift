// SandboxLower owns the layers' half of a sandbox: the chain's tree, and the files that hold its bytes.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem

/// The merged layers that a sandbox stands on.
final class SandboxLower: Sendable {
    private let shared: SharedTree
    private let streams: [SharedDescriptor]
    private let store: Store
    private let name: String

    init(_ chainID: Digest, of engine: Engine) throws(LaminaError) {
        name = "chain \(chainID)"
        store = engine.store
        let tree = try engine.chainTree(chainID)
        var streams: [SharedDescriptor] = []
        for device in tree.devices {
            streams.append(
                SharedDescriptor(
                    try Engine.storing("layer \(device.diffID)") { () throws(StoreError) in
                        try engine.store.openLayer(device.diffID, StorePath.stream)
                    }))
        }
        self.streams = streams
        shared = SharedTree(tree)
    }

    private func indexed<Value>(_ call: () throws(IndexError) -> Value) throws(LaminaError) -> Value {
        try Engine.indexing(name, call)
    }

    func node(_ nid: UInt64) throws(LaminaError) -> TreeNode {
        try indexed { () throws(IndexError) in try shared.tree.node(nid) }
    }

    func extendedAttributes(_ nid: UInt64) throws(LaminaError) -> [ExtendedAttribute] {
        try indexed { () throws(IndexError) in try shared.tree.extendedAttributes(nid) }
            .sorted { $0.name < $1.name }
    }

    func symlinkTarget(_ nid: UInt64) throws(LaminaError) -> ByteString {
        try indexed { () throws(IndexError) in try shared.tree.symlinkTarget(nid) }
    }

    /// The node called `name` in a directory; nil when there is none.
    func lookup(_ name: ByteString, in directory: UInt64) throws(LaminaError) -> UInt64? {
        try indexed { () throws(IndexError) in
            try name.withSpan { (span) throws(IndexError) in try shared.tree.lookup(span, in: directory) }
        }
    }

    /// The directory called `name` in one that may be missing.
    func directory(_ name: ByteString, in directory: UInt64?) throws(LaminaError) -> UInt64? {
        guard let directory, let nid = try lookup(name, in: directory) else { return nil }
        return try node(nid).type == .directory ? nid : nil
    }

    /// Whether a directory here has this status, as far as a layer tells it, and these xattrs.
    func isDirectory(
        _ nid: UInt64, as status: FileStatus, _ attributes: [ExtendedAttribute]
    ) throws(LaminaError) -> Bool {
        let node = try node(nid)
        let isSame =
            status.mode == node.mode && status.uid == node.uid && status.gid == node.gid
            && status.mtime == node.mtime
        guard isSame else { return false }
        return try extendedAttributes(nid) == attributes
    }

    /// The node at an absolute path; symlinks are not followed.
    func node(atPath path: ByteString) throws(LaminaError) -> UInt64? {
        var current = Tree.root
        for component in path.components {
            guard try node(current).type == .directory, let next = try lookup(component, in: current) else {
                return nil
            }
            current = next
        }
        return current
    }

    /// All names of a directory but `.` and `..`, in byte order, with their nodes.
    func entries(of directory: UInt64) throws(LaminaError) -> [(name: ByteString, nid: UInt64)] {
        var result: [(name: ByteString, nid: UInt64)] = []
        try indexed { () throws(IndexError) in
            try shared.tree.forEachEntry(of: directory, from: 0) { name, nid, _, _ in
                let name = ByteString(name)
                if name != "." && name != ".." { result.append((name, nid)) }
                return true
            }
        }
        return result
    }

    /// Opens the bytes of a regular file.
    func open(_ nid: UInt64) throws(LaminaError) -> LowerBytes {
        switch try indexed({ () throws(IndexError) in try shared.tree.content(nid) }) {
        case .empty: return LowerBytes(file: nil, offset: 0, length: 0)
        case .stream(let device, let offset, let length):
            guard streams.indices.contains(device) else {
                throw LaminaError(.failure, name, "node \(nid) names a layer that there is not")
            }
            return LowerBytes(file: streams[device], offset: offset, length: length)
        case .object(let digest, let length):
            let file = try Engine.storing("object \(digest)") { () throws(StoreError) in
                try store.openObject(digest)
            }
            return LowerBytes(file: SharedDescriptor(file), offset: 0, length: length)
        }
    }
}

/// The bytes of a lower file: a part of a stream, or a whole object.
struct LowerBytes: Sendable {
    /// Nil for an empty file.
    let file: SharedDescriptor?
    let offset: UInt64
    let length: UInt64

    /// Reads up to `buffer.count` bytes at `position`; 0 at the end.
    @unsafe
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64) throws(Errno) -> Int {
        guard let file, position < length else { return 0 }
        let count = Int(clamping: min(length - position, UInt64(buffer.count)))
        let (start, overflow) = offset.addingReportingOverflow(position)
        guard !overflow, let start = Int64(exactly: start) else { throw .ioError }
        // SAFETY: a part of the caller's buffer.
        return try unsafe file.descriptor.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: start)
    }
}
