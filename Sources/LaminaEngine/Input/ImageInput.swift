// ImageInput owns what `load` was given, as a set of named members: the files of a
// directory, members of a tar read in place, or members put aside while a stream passed.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem

/// What to load.
public enum LoadInput: Sendable, Hashable {
    /// A file or a directory.
    case path(ByteString)
    /// An archive on descriptor 0.
    case standardInput
}

/// Named members of an image archive or layout. Names are relative, without `.` and `..`.
final class ImageInput: Sendable {
    /// What the user calls it, for messages.
    let name: String
    /// The name it would give an image: that of its file or directory, nil for a stream.
    let baseName: String?
    private let members: any MemberRoom

    /// Opens `input`; an archive that cannot be read in place passes into `store`'s ingest room,
    /// blob by blob, until this value goes.
    init(_ input: LoadInput, store: Store, _ cancellation: Cancellation) throws(LaminaError) {
        switch input {
        case .standardInput:
            name = "stdin"
            baseName = nil
            let file = try Engine.system("stdin") { () throws(Errno) in
                try Descriptor.duplicate(of: STDIN_FILENO)
            }
            members = try Self.archive(file, called: "stdin", store, cancellation)
        case .path(let path):
            name = path.description
            let file = try Engine.system(path) { () throws(Errno) in try Descriptor.open(path, O_RDONLY) }
            let status = try Engine.system(path) { () throws(Errno) in try file.status() }
            baseName = Self.baseName(try Engine.resolved(path))
            if status.type == .directory {
                members = DirectoryMembers(file)
            } else {
                members = try Self.archive(file, called: name, store, cancellation)
            }
        }
    }

    private static func archive(
        _ file: consuming Descriptor, called name: String, _ store: Store, _ cancellation: Cancellation
    ) throws(LaminaError) -> any MemberRoom {
        let path = ByteString(name)
        let status = try Engine.system(path) { () throws(Errno) in try file.status() }
        if status.type == .regular {
            let prefix = try Engine.system(path) { () throws(Errno) in try file.readBytes(at: 0, count: 16) }
            if Compression.detect(prefix.span) == .none {
                return try ArchiveMembers(file, called: name)
            }
        }
        return try SpooledMembers.read(file, called: name, store, cancellation)
    }

    /// The last component without the suffixes of archives.
    private static func baseName(_ path: ByteString) -> String? {
        guard let last = path.components.last else { return nil }
        var text = "\(last)"
        for suffix in [".gz", ".zst", ".lz4", ".tgz", ".tar", ".oci", ".docker"] where text.hasSuffix(suffix)
        {
            text.removeLast(suffix.count)
        }
        return text
    }

    /// Opens a member for reading; nil when there is none. `size` is in bytes.
    func open(_ member: ByteString) throws(LaminaError) -> OpenMember? {
        do throws(Errno) { return try members.open(member) } catch {
            throw LaminaError("\(name): \(member)", error)
        }
    }

    /// A whole small member; nil when there is none.
    func document(_ member: ByteString) throws(LaminaError) -> [UInt8]? {
        guard let open = try open(member) else { return nil }
        let thing = "\(name): \(member)"
        guard open.size <= UInt64(Limits.documentSize) else {
            throw LaminaError(.badInput, thing, "is larger than \(Limits.documentSize) bytes")
        }
        let bytes = try Engine.system(ByteString(thing)) { () throws(Errno) in
            let start = try open.file.seek(to: 0, whence: SEEK_CUR)
            return try open.file.readBytes(at: start, count: Int(open.size))
        }
        guard bytes.count == Int(open.size) else { throw LaminaError(.badInput, thing, "is truncated") }
        return bytes
    }
}
