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
        case upper(SharedDescriptor)
    }

    public let id: NodeID
    private let union: Union
    private let source: Mutex<Source>

    init(id: NodeID, union: Union, source: Source) {
        self.id = id
        self.union = union
        self.source = Mutex(source)
    }

    /// Where the bytes are now.
    func current() throws(Errno) -> Source {
        let known = source.withLock { $0 }
        guard case .lower = known, union.untouched(id) == nil else { return known }
        guard let file = try union.openUpper(id, flags: O_RDONLY) else { return known }
        let copy = Source.upper(file)
        source.withLock { $0 = copy }
        return copy
    }

    private func upperFile() throws(Errno) -> SharedDescriptor {
        guard case .upper(let file) = try current() else { throw .badFileDescriptor }
        return file
    }

    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    @unsafe
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        guard let position = Int64(exactly: offset) else { throw .invalidArgument }
        let source = try current()
        var filled = 0
        while filled < buffer.count {
            // SAFETY: the slice lies within the caller's buffer.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count: Int
            switch source {
            case .lower(let content):
                count = try unsafe content.read(into: rest, at: offset &+ UInt64(filled))
            case .upper(let file):
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
    public func write(_ bytes: RawSpan, at offset: UInt64) throws(Errno) {
        guard let position = Int64(exactly: offset) else { throw .fileTooLarge }
        try upperFile().descriptor.writeAll(bytes, at: position)
    }

    /// Makes the file durable; a file of the layers is already.
    public func sync(dataOnly: Bool) throws(Errno) {
        guard !union.upper.isVolatile, case .upper(let file) = try current() else { return }
        if dataOnly { try file.descriptor.syncData() } else { try file.descriptor.sync() }
    }

    /// `fallocate(2)`.
    public func allocate(mode: Int32, offset: UInt64, length: UInt64) throws(Errno) {
        guard let offset = Int64(exactly: offset), let length = Int64(exactly: length) else {
            throw .fileTooLarge
        }
        try upperFile().descriptor.allocate(mode: mode, offset: offset, length: length)
    }

    /// `lseek(2)` for `SEEK_DATA` and `SEEK_HOLE`. Of the layers' files, objects may have
    /// holes; what is in a stream, never at its start, is all data.
    public func seek(to offset: UInt64, whence: Int32) throws(Errno) -> UInt64 {
        switch try current() {
        case .upper(let file):
            guard let offset = Int64(exactly: offset) else { throw .invalidArgument }
            return UInt64(clamping: try file.descriptor.seek(to: offset, whence: whence))
        case .lower(let content):
            guard offset < content.length else { throw .noSuchAddressOrDevice }
            if content.offset == 0, let offset = Int64(exactly: offset) {
                let found = try content.file.descriptor.seek(to: offset, whence: whence)
                return min(UInt64(clamping: found), content.length)
            }
            return whence == SeekFlag.hole ? content.length : offset
        }
    }

    /// Copies bytes to another file of the union inside the kernel; returns how many.
    public func copyRange(
        from offset: UInt64, to destination: OpenFile, at position: UInt64, count: Int
    ) throws(Errno) -> Int {
        guard let target = Int64(exactly: position) else { throw .fileTooLarge }
        let output = try destination.upperFile()
        switch try current() {
        case .upper(let file):
            guard let start = Int64(exactly: offset) else { throw .invalidArgument }
            return try output.descriptor.copyRange(
                from: file.descriptor, sourceOffset: start, to: target, count: count)
        case .lower(let content):
            guard offset < content.length else { return 0 }
            let (start, overflow) = content.offset.addingReportingOverflow(offset)
            guard !overflow, let start = Int64(exactly: start) else { throw .ioError }
            let count = Int(clamping: min(UInt64(clamping: count), content.length &- offset))
            return try output.descriptor.copyRange(
                from: content.file.descriptor, sourceOffset: start, to: target, count: count)
        }
    }
}

extension Union {
    /// Opens a regular file. For writing, a lower file is copied up first; with `O_TRUNC`,
    /// its bytes are not.
    public func open(_ id: NodeID, flags: Int32) throws(Errno) -> OpenFile {
        let writes = flags & O_ACCMODE != O_RDONLY
        if !writes, flags & O_TRUNC == 0, let nid = untouched(id) {
            return OpenFile(id: id, union: self, source: .lower(try lower.openContent(nid)))
        }
        if writes || flags & O_TRUNC != 0 {
            try change { (namespace) throws(Errno) in
                _ = try namespace.copyUp(id, limit: flags & O_TRUNC != 0 ? 0 : .max)
            }
        }
        // Appending is the kernel's business: its requests name the offset.
        let durable = upper.isVolatile ? 0 : O_SYNC | O_DSYNC
        let kept = flags & (O_ACCMODE | O_TRUNC | durable)
        if let file = try openUpper(id, flags: kept) {
            return OpenFile(id: id, union: self, source: .upper(file))
        }
        guard !writes, let nid = id.nid else { throw .staleNFSFileHandle }
        return OpenFile(id: id, union: self, source: .lower(try lower.openContent(nid)))
    }

    /// Opens the sandbox's file behind `id`; nil when the sandbox has none.
    func openUpper(_ id: NodeID, flags: Int32) throws(Errno) -> SharedDescriptor? {
        try withNamespace { (namespace) throws(Errno) in
            guard let node = namespace.table[id] else { return nil }
            return SharedDescriptor(try namespace.upper.open(node).reopen(flags))
        }
    }
}
