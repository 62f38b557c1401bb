// OpenFile owns one open regular file. A file opened for reading before its copy-up reads
// the copy afterwards, because both share one page cache in the kernel.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// An open regular file of a union.
public final class OpenFile: Sendable {
    enum Source: Sendable {
        case lower(LowerContent)
        /// The upper file and, unless all bytes are in it, where the others are.
        case upper(SharedDescriptor, DataUse?)
    }

    public let id: NodeID
    let union: Union
    private let source: Mutex<Source>
    /// Whether this goes on showing the lower file, whatever becomes of the node.
    private let isPinned = Atomic<Bool>(false)

    init(id: NodeID, union: Union, source: Source) {
        self.id = id
        self.union = union
        self.source = Mutex(source)
    }

    /// Where the bytes are now.
    func current() throws(Errno) -> Source {
        let known = source.withLock { $0 }
        guard case .lower = known, union.untouched(id) == nil else { return known }
        guard !isPinned.load(ordering: .relaxed) else { return known }
        guard let copy = try union.openUpper(id, flags: O_RDONLY, isFollowing: true) else { return known }
        source.withLock { $0 = copy }
        return copy
    }

    /// From now on this file is `content`, as it is for a reader who gets his bytes from the kernel.
    func pin(to content: LowerContent) {
        isPinned.store(true, ordering: .relaxed)
        source.withLock { $0 = .lower(content) }
    }

    private func upperFile() throws(Errno) -> (file: SharedDescriptor, data: UpperData?) {
        guard case .upper(let file, let use) = try current() else { throw .badFileDescriptor }
        return (file, use?.data)
    }

    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    @unsafe
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        guard let position = Int64(exactly: offset) else { throw .invalidArgument }
        let source = try current()
        if case .upper(let file, let use?) = source, !use.data.isWhole {
            return try unsafe use.data.read(into: buffer, at: offset, upper: file.descriptor)
        }
        var filled = 0
        while filled < buffer.count {
            // SAFETY: the slice lies within the caller's buffer.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count: Int
            switch source {
            case .lower(let content):
                count = try unsafe content.read(into: rest, at: offset &+ UInt64(filled))
            case .upper(let file, _):
                let (at, overflow) = position.addingReportingOverflow(Int64(filled))
                if overflow { return filled }
                count = try unsafe file.descriptor.read(into: rest, at: at)
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Writes all bytes at `offset`.
    /// - Parameter appending: whether they belong at the end. Where others write too, the kernel's idea of
    ///   that may be old.
    public func write(_ bytes: RawSpan, at offset: UInt64, appending: Bool = false) throws(Errno) {
        guard let position = Int64(exactly: offset),
            !position.addingReportingOverflow(Int64(bytes.byteCount)).overflow
        else { throw .fileTooLarge }
        let (file, data) = try upperFile()
        if appending, id.isRedirected { return try file.descriptor.append(bytes) }
        guard let data else { return try file.descriptor.writeAll(bytes, at: position) }
        let count = UInt64(bytes.byteCount)
        _ = try data.change(offset..<offset + count, of: file.descriptor) { () throws(Errno) in
            try file.descriptor.writeAll(bytes, at: position)
            return count
        }
    }

    /// Makes the file durable; a file of the layers is already.
    public func sync(dataOnly: Bool) throws(Errno) {
        // A volume outlives the sandbox, and so does what is synced in it.
        guard id.isRedirected || !union.upper.isVolatile, case .upper(let file, let use) = try current()
        else { return }
        if let use { return try use.data.sync(file.descriptor, dataOnly: dataOnly) }
        if dataOnly { try file.descriptor.syncData() } else { try file.descriptor.sync() }
    }

    /// `lseek(2)` for `SEEK_DATA` and `SEEK_HOLE`.
    public func seek(to offset: UInt64, whence: Int32) throws(Errno) -> UInt64 {
        switch try current() {
        case .lower(let content): return try content.seek(to: offset, whence: whence)
        case .upper(let file, let use):
            if let use, !use.data.isWhole {
                return try use.data.seek(to: offset, whence: whence, upper: file.descriptor)
            }
            guard let offset = Int64(exactly: offset) else { throw .invalidArgument }
            return UInt64(clamping: try file.descriptor.seek(to: offset, whence: whence))
        }
    }

    /// `fallocate(2)`.
    public func allocate(mode: Int32, offset: UInt64, length: UInt64) throws(Errno) {
        guard let start = Int64(exactly: offset), let count = Int64(exactly: length),
            !start.addingReportingOverflow(count).overflow
        else { throw .fileTooLarge }
        let (file, data) = try upperFile()
        switch Allocation(mode: mode) {
        case .replacing:
            guard let data else { fallthrough }
            _ = try data.change(offset..<offset + length, of: file.descriptor) { () throws(Errno) in
                try file.descriptor.allocate(mode: mode, offset: start, length: count)
                return length
            }
        case .reserving:
            try file.descriptor.allocate(mode: mode, offset: start, length: count)
        case .moving:
            // Bytes change their place, which a map cannot say.
            try data?.materialize(file.descriptor)
            try file.descriptor.allocate(mode: mode, offset: start, length: count)
        }
    }

    /// Copies bytes to another file of the union inside the kernel; returns how many.
    public func copyRange(
        from offset: UInt64, to destination: OpenFile, at position: UInt64, count: Int
    ) throws(Errno) -> Int {
        let (output, data) = try destination.upperFile()
        let (input, start, available) = try sourceRange(at: offset, count: UInt64(clamping: count))
        let length = Int(clamping: available)
        guard let target = Int64(exactly: position),
            !target.addingReportingOverflow(Int64(length)).overflow
        else { throw .fileTooLarge }
        guard length > 0 else { return 0 }
        guard let data else {
            return try output.descriptor.copyRange(
                from: input.descriptor, sourceOffset: start, to: target, count: length)
        }
        let range = position..<position + UInt64(length)
        let done = try data.change(range, of: output.descriptor) { () throws(Errno) in
            UInt64(
                try output.descriptor.copyRange(
                    from: input.descriptor, sourceOffset: start, to: target, count: length))
        }
        return Int(clamping: done)
    }

    /// The file that holds the bytes at `offset`, where there, and how many of `count` at most.
    private func sourceRange(
        at offset: UInt64, count: UInt64
    ) throws(Errno) -> (file: SharedDescriptor, start: Int64, count: UInt64) {
        let content: LowerContent
        let available: UInt64
        switch try current() {
        case .lower(let lower):
            content = lower
            available = offset < lower.length ? min(count, lower.length - offset) : 0
        case .upper(let file, let use):
            let piece = try use?.data.piece(at: offset, count: count) ?? .upper(count)
            guard case .lower(let lower, let length) = piece else {
                guard let start = Int64(exactly: offset) else { throw .invalidArgument }
                return (file, start, piece.count)
            }
            content = lower
            available = length
        }
        let (start, overflow) = content.offset.addingReportingOverflow(offset)
        guard !overflow, let start = Int64(exactly: start) else { throw .ioError }
        return (content.file, start, available)
    }
}

/// What a mode of `fallocate(2)` does to bytes that are in another file.
private enum Allocation {
    /// Nothing: they stay, with room kept for them.
    case reserving
    /// They become zeros: `FALLOC_FL_PUNCH_HOLE`, `FALLOC_FL_ZERO_RANGE`.
    case replacing
    /// They move, or must become this file's own: collapse, insert, unshare, and what is unknown.
    case moving

    init(mode: Int32) {
        switch mode & ~0x01 {  // FALLOC_FL_KEEP_SIZE
        case 0: self = .reserving
        case 0x02, 0x10: self = .replacing
        default: self = .moving
        }
    }
}
