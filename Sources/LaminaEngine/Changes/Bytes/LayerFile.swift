// LayerFile owns one regular file that is open for reading to become a layer's, wherever its bytes are: in a
// sandbox, in the layers, or by a block map in both (docs/FORMAT-sandbox.md).

import Glibc
import LaminaCore
import LaminaSystem

/// An open file with all its bytes.
struct LayerFile: Sendable {
    enum Kind: Sendable {
        case whole
        /// Bytes that were read at once.
        case memory([UInt8])
        /// Bytes below `limit` are the layers'.
        case lower(LowerBytes, limit: UInt64)
        case mapped(LowerBytes, BlockMapFile, limit: UInt64)
    }

    private(set) var file: SharedDescriptor?
    private(set) var kind: Kind
    /// Bytes, when it was opened.
    private(set) var size: UInt64
    /// When it was last written, for a file that others may write after it was listed.
    private(set) var modified: Timestamp?

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

    /// A file at a path of `upper`, or held since it was there. `merged` is the lower directory that is merged with
    /// its own.
    init(
        upper path: ByteString, merged: UInt64?, held: HeldFile?, in tree: SandboxTree
    ) throws(LaminaError) {
        let thing = ByteString("/") + path
        let file = try Engine.system(thing) { () throws(Errno) in
            SharedDescriptor(try Self.open(path, held, in: tree))
        }
        let status = try Engine.system(thing) { () throws(Errno) in try file.descriptor.status() }
        guard status.type == .regular else { throw LaminaError(.failure, "\(thing)", "is no regular file") }
        self.file = file
        (kind, size) = try Self.find(file.descriptor, path, merged, tree)
        guard held != nil else { return }
        do throws(Errno) { try settle(in: tree) } catch { throw LaminaError(thing, error) }
    }

    /// One that was removed has its bytes as long as it is held. Where it could not be held open, whatever took
    /// its place stands for it.
    private static func open(
        _ path: ByteString, _ held: HeldFile?, in tree: SandboxTree
    ) throws(Errno) -> Descriptor {
        guard let held else { return try tree.open(path, O_RDONLY | O_NONBLOCK) }
        do throws(Errno) {
            return try held.open()
        } catch {
            guard error == .staleNFSFileHandle, let successor = try? tree.open(path, O_RDONLY | O_NONBLOCK),
                (try? successor.status().type) == .regular
            else { throw error }
            return successor
        }
    }

    /// Takes bytes that others write as those of one instant, as far as that can be had.
    private mutating func settle(in tree: SandboxTree) throws(Errno) {
        guard let file else { return }
        let status = try file.descriptor.status()
        modified = status.mtime
        switch kind {
        case .memory, .lower: return
        case .whole, .mapped:
            if let clone = tree.clone(of: file.descriptor) {
                if case .whole = kind { size = UInt64(clamping: try clone.status().size) }
                self.file = SharedDescriptor(clone)
                return
            }
        }
        guard case .whole = kind else { return }
        for _ in 0..<Self.attempts {
            let before = try file.descriptor.status()
            guard before.size < Self.longestInMemory else { return }
            let bytes = try file.descriptor.readBytes(at: 0, count: Int(before.size))
            kind = .memory(bytes)
            size = UInt64(bytes.count)
            modified = before.mtime
            let after = try file.descriptor.status()
            if after.ctime == before.ctime && after.size == before.size { return }
        }
    }

    /// Bytes of a file that is read at once.
    private static let longestInMemory: Int64 = 1 << 20
    /// How often a file is read that is written meanwhile.
    private static let attempts = 4

    /// Reads up to `buffer.count` bytes at `offset`, from one place; 0 at the end.
    @unsafe
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        guard offset < size, buffer.count > 0 else { return 0 }
        let end = min(size, offset &+ UInt64(buffer.count))
        if case .memory(let bytes) = kind {
            let range = Int(offset)..<Int(end)
            // SAFETY: as many bytes as the range has are in both.
            unsafe bytes.span.extracting(range).withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
            return range.count
        }
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
        case .whole, .memory: return (nil, end)
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
