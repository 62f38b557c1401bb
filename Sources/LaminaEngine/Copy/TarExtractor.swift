// TarExtractor owns the writing of a tar's entries below one directory. No entry leaves it: not by its name, and
// not through a symlink that is there or that an earlier entry made.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// Makes files of a tar.
struct TarExtractor: ~Copyable {
    /// Whose files are that are made.
    enum Owner: Sendable {
        /// As the tar says.
        case kept
        case id(uid: UInt32, gid: UInt32)
        /// The process's own.
        case own
    }

    private let root: Descriptor
    private let name: ByteString
    private let owner: Owner
    private var file: Descriptor?
    private var entry: TarEntry?
    private var position: UInt64 = 0
    private var segment = 0
    /// Directories that were made or met, whose times come last.
    private var directories: [(path: ByteString, entry: TarEntry)] = []
    /// Bytes of files.
    private(set) var copied: UInt64 = 0

    /// - Parameter name: how messages call the directory.
    init(below root: consuming Descriptor, named name: ByteString, owner: Owner) {
        self.root = root
        self.name = name
        self.owner = owner
    }

    /// Extracts all of `source`, a tar. O(bytes).
    mutating func extract<Source: ByteSource & ~Copyable>(
        _ source: inout Source, _ cancellation: Cancellation
    ) throws(LaminaError) {
        var parser = TarParser(limits: TarLimits())
        var buffer = Buffer(capacity: 1 << 20)
        while try fill(&buffer, &source, cancellation) {
            var cursor = 0
            while let event = try next(&parser, buffer.bytes, &cursor) {
                switch event {
                case .entry(let entry): try begin(entry)
                case .payload(let range): try write(buffer.bytes.extracting(range).raw)
                case .endOfEntry: try end()
                }
            }
        }
        do throws(CodecError) { try parser.finish() } catch { throw LaminaError(error, about: "\(name)") }
        for (path, entry) in directories.reversed() {
            try doing(path) { (root) throws(Errno) in
                try root.open(
                    path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve: Self.inside
                )
                .setTimes(atime: .keep, mtime: .set(entry.attributes.mtime))
            }
        }
    }

    private func fill<Source: ByteSource & ~Copyable>(
        _ buffer: inout Buffer, _ source: inout Source, _ cancellation: Cancellation
    ) throws(LaminaError) -> Bool {
        try cancellation.check("\(name)")
        do throws(CodecError) {
            return try buffer.fill(from: &source)
        } catch {
            throw LaminaError(error, about: "\(name)")
        }
    }

    private func next(
        _ parser: inout TarParser, _ bytes: Span<UInt8>, _ cursor: inout Int
    ) throws(LaminaError) -> TarEvent? {
        do throws(CodecError) {
            return try parser.next(in: bytes, at: &cursor)
        } catch {
            throw LaminaError(error, about: "\(name)")
        }
    }

    private static let inside = Resolve.beneath | Resolve.noSymlinks

    private borrowing func doing<Value: ~Copyable>(
        _ path: ByteString, _ body: (borrowing Descriptor) throws(Errno) -> Value
    ) throws(LaminaError) -> Value {
        do throws(Errno) { return try body(root) } catch { throw LaminaError(name.appending(path), error) }
    }

    private mutating func begin(_ entry: TarEntry) throws(LaminaError) {
        self.entry = entry
        position = 0
        segment = 0
        if entry.path.isEmpty {
            if entry.kind == .directory { directories.append((entry.path, entry)) }
            return
        }
        let parts = entry.path.components
        let parent = parts.dropLast().reduce(ByteString()) { $0.appending($1) }
        let last = parts.last ?? ByteString()
        let directory = try doing(entry.path) { (root) throws(Errno) in
            try root.open(
                parent.isEmpty ? "." : parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve: Self.inside)
        }
        try makeRoom(for: entry, last, in: directory)
        try make(entry, last, in: directory)
    }

    /// What is there goes, unless it is a directory; nothing takes a directory's place.
    private func makeRoom(
        for entry: TarEntry, _ last: ByteString, in directory: borrowing Descriptor
    ) throws(LaminaError) {
        guard let status = try? directory.status(of: last) else { return }
        let place = name.appending(entry.path)
        switch (status.type == .directory, entry.kind == .directory) {
        case (true, true): return
        case (true, false):
            throw LaminaError(.badInput, "\(place)", "cannot overwrite a directory with a file")
        case (false, true):
            throw LaminaError(.badInput, "\(place)", "cannot overwrite a file with a directory")
        case (false, false):
            do throws(Errno) { try directory.removeFile(last) } catch { throw LaminaError(place, error) }
        }
    }

    private mutating func make(
        _ entry: TarEntry, _ last: ByteString, in directory: borrowing Descriptor
    ) throws(LaminaError) {
        let mode = entry.attributes.permissions
        do throws(Errno) {
            switch entry.kind {
            case .directory:
                do throws(Errno) {
                    try directory.makeDirectory(last, permissions: mode & 0o777 | 0o700)
                    try setAttributes(entry, of: directory.openPath(last))
                } catch Errno.fileExists {
                    return
                }
                directories.append((entry.path, entry))
            case .file:
                file = try directory.open(
                    last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, permissions: 0o600)
            case .symlink(let target):
                try directory.makeSymlink(last, target: target)
                try setAttributes(entry, of: directory.openPath(last))
                try directory.setTimes(of: last, atime: .keep, mtime: .set(entry.attributes.mtime))
            case .hardLink(let target):
                let parts = target.components
                let parent = parts.dropLast().reduce(ByteString()) { $0.appending($1) }
                let source = try root.open(
                    parent.isEmpty ? "." : parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve: Self.inside)
                try source.link(parts.last ?? ".", to: directory, last)
            case .device, .fifo:
                try directory.makeNode(
                    last, mode: entry.attributes.type.rawValue | 0o600, device: entry.attributes.device)
                try setAttributes(entry, of: directory.openPath(last))
                try directory.setTimes(of: last, atime: .keep, mtime: .set(entry.attributes.mtime))
            }
        } catch {
            throw LaminaError(name.appending(entry.path), error)
        }
    }

    private mutating func write(_ bytes: RawSpan) throws(LaminaError) {
        guard let entry, file != nil else { return }
        var start = 0
        do throws(Errno) {
            while start < bytes.byteCount {
                var count = bytes.byteCount - start
                if let map = entry.sparse {
                    guard segment < map.segments.count else { return }
                    let place = map.segments[segment]
                    if position < place.lowerBound { position = place.lowerBound }
                    count = Int(clamping: min(UInt64(count), place.upperBound - position))
                    if position + UInt64(count) == place.upperBound { segment += 1 }
                }
                try file?.writeAll(bytes.extracting(start..<start + count), at: Int64(clamping: position))
                position += UInt64(count)
                copied += UInt64(count)
                start += count
            }
        } catch {
            throw LaminaError(name.appending(entry.path), error)
        }
    }

    private mutating func end() throws(LaminaError) {
        guard let file = file.take(), let entry else { return }
        do throws(Errno) {
            if let size = entry.sparse?.size { try file.truncate(to: Int64(clamping: size)) }
            try setAttributes(entry, of: file)
            try file.setTimes(atime: .keep, mtime: .set(entry.attributes.mtime))
        } catch {
            throw LaminaError(name.appending(entry.path), error)
        }
    }

    /// Owner first, which clears special bits, then xattrs and mode. An xattr that this user may not set, or this
    /// filesystem not keep, is left out.
    private func setAttributes(_ entry: TarEntry, of node: borrowing Descriptor) throws(Errno) {
        // The magic link of a handle of a symlink leads to the symlink itself.
        switch owner {
        case .kept: try node.setPathOwner(uid: entry.attributes.uid, gid: entry.attributes.gid)
        case .id(let uid, let gid): try node.setPathOwner(uid: uid, gid: gid)
        case .own: break
        }
        if entry.attributes.type == .symlink { return }
        for attribute in entry.extendedAttributes {
            do throws(Errno) {
                try node.setExtendedAttribute(attribute.name, attribute.value.raw)
            } catch {
                guard error == .notPermitted || error == .notSupported else { throw error }
            }
        }
        try node.setPathPermissions(entry.attributes.permissions)
    }
}
