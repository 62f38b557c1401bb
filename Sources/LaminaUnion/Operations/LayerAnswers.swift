// What the layers alone can answer. Every function here takes no lock, allocates nothing and
// says so when the sandbox may have a say: then the union's other functions answer.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

/// The outcome of a lookup that only the layers were asked for.
public enum LayerLookup: Sendable {
    /// The sandbox has to be asked.
    case undecided
    case absent
    case found(NodeID, TreeNode)
}

extension Union {
    /// Nodes of the layers have numbers below it.
    public var layerNodeLimit: UInt64 { lower.tree.nidLimit }

    /// The node called `name` in `parent`. Nothing is counted: a node of the layers needs no
    /// `forget`. O(log entries).
    @inline(__always)
    public func layerLookup(_ name: Span<UInt8>, in parent: NodeID) throws(Errno) -> LayerLookup {
        guard name.count <= Limits.nameLength else { throw .fileNameTooLong }
        guard untouched(parent) != nil || upper.names.exclude(name, in: parent) else { return .undecided }
        // A directory that was born in the sandbox.
        guard let directory = parent.nid else { return .absent }
        guard let nid = try lower.lookup(name, in: directory) else { return .absent }
        guard !twins.contains(nid) else { return .undecided }
        return .found(NodeID(rawValue: nid), try lower.node(nid))
    }

    /// The attributes of a node that only the layers know; nil for others.
    @inline(__always)
    public func layerNode(_ id: NodeID) throws(Errno) -> TreeNode? {
        guard let nid = untouched(id) else { return nil }
        return try lower.node(nid)
    }

    /// Whether the kernel's count of lookups of this node means nothing.
    @inline(__always)
    public func isUncounted(_ id: NodeID) -> Bool {
        untouched(id) != nil
    }

    /// Calls `body` with each entry of a directory from position `cookie` on, as
    /// `Tree.forEachEntry` does; false when the sandbox has to be asked.
    public func forEachLayerEntry(
        of id: NodeID, from cookie: UInt64,
        _ body: (_ name: Span<UInt8>, _ nid: UInt64, _ type: FileType?, _ next: UInt64) -> Bool
    ) throws(Errno) -> Bool {
        guard let nid = untouched(id) else { return false }
        try lower.forEachEntry(of: nid, from: cookie, body)
        return true
    }

    /// Calls `body` with the target of a symlink; false when the sandbox has to be asked.
    public func withLayerSymlink(_ id: NodeID, _ body: (RawSpan) -> Void) throws(Errno) -> Bool {
        guard let nid = untouched(id) else { return false }
        try lower.withSymlinkTarget(nid, body)
        return true
    }

    /// Reads a file whose bytes are in a layer's stream: as many as fit into `buffer`, fewer only
    /// at its end. Nil for objects, and when the sandbox has to be asked.
    @unsafe
    public func readLayers(
        _ id: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(Errno) -> Int? {
        guard let nid = untouched(id) else { return nil }
        return try unsafe lower.readStream(nid, into: buffer, at: offset)
    }
}

extension LowerTree {
    fileprivate func withSymlinkTarget(_ nid: UInt64, _ body: (RawSpan) -> Void) throws(Errno) {
        do {
            try tree.withSymlinkTarget(nid, body)
        } catch {
            throw .ioError
        }
    }

    @unsafe
    fileprivate func readStream(
        _ nid: UInt64, into buffer: UnsafeMutableRawBufferPointer, at position: UInt64
    ) throws(Errno) -> Int? {
        let device: Int
        let offset: UInt64
        let length: UInt64
        do {
            guard let place = try tree.streamPlace(nid) else { return nil }
            (device, offset, length) = (place.device, place.offset, place.length)
        } catch {
            throw .ioError
        }
        guard position < length, let start = Int64(exactly: offset &+ position) else { return 0 }
        let count = Int(clamping: min(length &- position, UInt64(buffer.count)))
        var filled = 0
        while filled < count {
            // SAFETY: the slice lies within the caller's buffer.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<count])
            let got = try unsafe streams[device].descriptor.read(into: rest, at: start &+ Int64(filled))
            // The store is damaged: an end inside a file would pass for the file's.
            if got == 0 { throw .ioError }
            filled &+= got
        }
        return filled
    }
}
