// LayerFile owns one regular file that is open for reading to become a layer's, wherever its bytes are: in a
// sandbox, in the layers, or by a block map in both (docs/FORMAT-sandbox.md).

import Glibc
import LaminaCore
import LaminaSystem

/// An open file with all its bytes.
struct LayerFile: Sendable {
    private enum Kind: Sendable {
        case whole
        /// Bytes below `limit` are the layers'.
        case lower(LowerBytes, limit: UInt64)
        case mapped(LowerBytes, BlockMapFile, limit: UInt64)
    }

    private let file: SharedDescriptor?
    private let kind: Kind
    /// Bytes, when it was opened.
    let size: UInt64

    /// A file of the host's.
    init(_ host: consuming Descriptor) throws(Errno) {
        size = UInt64(clamping: try host.status().size)
        file = SharedDescriptor(host)
        kind = .whole
    }

    /// A file of the layers.
    init(lower nid: UInt64, in lower: SandboxLower) throws(LaminaError) {
        let bytes = try lower.open(nid)
        file = nil
        kind = .lower(bytes, limit: bytes.length)
        size = bytes.length
    }

    /// A file at a path of `upper`. `merged` is the lower directory that is merged with its own.
    init(upper path: ByteString, merged: UInt64?, in tree: SandboxTree) throws(LaminaError) {
        let thing = ByteString("/") + path
        let file = try Engine.system(thing) { () throws(Errno) in
            SharedDescriptor(try tree.open(path, O_RDONLY | O_NONBLOCK))
        }
        let status = try Engine.system(thing) { () throws(Errno) in try file.descriptor.status() }
        guard status.type == .regular else { throw LaminaError(.failure, "\(thing)", "is no regular file") }
        self.file = file
        let own = UInt64(clamping: status.size)
        (kind, size) = try Self.find(file.descriptor, size: own, path, merged, tree)
    }

    private static func find(
        _ file: borrowing Descriptor, size: UInt64, _ path: ByteString, _ merged: UInt64?, _ tree: SandboxTree
    ) throws(LaminaError) -> (Kind, UInt64) {
        let thing = ByteString("/") + path
        let marks = tree.marks
        let found = try Engine.system(thing) { () throws(Errno) in
            (
                metacopy: try file.mark(marks.metacopy), map: try file.mark(marks.blockMap),
                fresh: try file.mark(marks.fresh), boot: try BootIdentity.current().bytes
            )
        }
        guard let metacopy = found.metacopy else { return (.whole, size) }
        guard let source = try tree.source(of: file, path, merged: merged) else {
            throw LaminaError(.failure, "\(thing)", "has its bytes in a file of the layers that is not there")
        }
        let bytes = try tree.lower.open(source)
        // A copy that was not synced before a power cut: the layer's bytes are back.
        if let fresh = found.fresh, fresh != found.boot {
            return (.lower(bytes, limit: bytes.length), bytes.length)
        }
        if let text = found.map {
            guard let mark = BlockMapMark(text) else {
                throw LaminaError(.failure, "\(thing)", "has a damaged block map mark")
            }
            let map = try Engine.system(thing) { () throws(Errno) in
                try BlockMapFile(tree.openMap(mark.name), nid: source, size: bytes.length)
            }
            return (.mapped(bytes, map, limit: min(mark.limit, size, bytes.length)), size)
        }
        if metacopy == OverlayConvention.refusedMetacopy { return (.whole, size) }
        return (.lower(bytes, limit: min(bytes.length, size)), size)
    }

    /// Reads up to `buffer.count` bytes at `offset`, from one place; 0 at the end.
    @unsafe
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        guard offset < size, buffer.count > 0 else { return 0 }
        let end = min(size, offset &+ UInt64(buffer.count))
        let (lower, pieceEnd) = piece(at: offset, below: end)
        // SAFETY: a part of the caller's buffer.
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(pieceEnd - offset)])
        if let lower {
            let count = try unsafe lower.read(into: rest, at: offset)
            if count == 0 { throw .ioError }
            return count
        }
        guard let file, let start = Int64(exactly: offset) else {
            // Behind the layers' bytes of a file without bytes of its own.
            unsafe rest.initializeMemory(as: UInt8.self, repeating: 0)
            return rest.count
        }
        return try unsafe file.descriptor.read(into: rest, at: start)
    }

    /// Which file of the layers holds the byte at `offset`, nil for the sandbox's own, and up to where.
    private func piece(at offset: UInt64, below end: UInt64) -> (lower: LowerBytes?, end: UInt64) {
        switch kind {
        case .whole: return (nil, end)
        case .lower(let bytes, let limit):
            return offset < limit ? (bytes, min(end, limit)) : (nil, end)
        case .mapped(let bytes, let map, let limit):
            guard offset < limit else { return (nil, end) }
            let run = map.run(at: offset, below: min(end, limit))
            return (run.isOwn ? nil : bytes, run.end)
        }
    }

    /// Where there is data; nil for a file that is better taken as it is. O(runs).
    func dataSegments() throws(Errno) -> [Range<UInt64>]? {
        guard case .whole = kind, let file else { return nil }
        return try file.descriptor.dataSegments(size: size)
    }
}

extension Descriptor {
    /// The runs of this file that are no holes, as far as the filesystem says it (`SEEK_DATA`). O(runs).
    borrowing func dataSegments(size: UInt64) throws(Errno) -> [Range<UInt64>] {
        var segments: [Range<UInt64>] = []
        var position: Int64 = 0
        while UInt64(clamping: position) < size {
            let start: Int64
            do throws(Errno) {
                start = try seek(to: position, whence: SeekFlag.data)
            } catch Errno.noSuchAddressOrDevice {
                break
            }
            let end = try seek(to: start, whence: SeekFlag.hole)
            let range = UInt64(clamping: start)..<min(UInt64(clamping: end), size)
            guard !range.isEmpty, end > position else { break }
            segments.append(range)
            position = end
        }
        return segments
    }
}
