// SpooledMembers owns the members of an archive that came as a stream: each is one file of a
// private directory below `ingest/`, in the form the archive had it, removed with this value.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem

/// The members of a streamed archive.
final class SpooledMembers: MemberRoom {
    private let directory: IngestDirectory
    private let members: MemberList<ByteString>

    private init(_ directory: consuming IngestDirectory, _ members: MemberList<ByteString>) {
        self.directory = directory
        self.members = members
    }

    /// Reads an archive, plain or compressed, to its end. O(bytes) time and disk.
    static func read(
        _ file: consuming Descriptor, called name: String, _ store: Store, _ cancellation: Cancellation
    ) throws(LaminaError) -> SpooledMembers {
        let directory = try Engine.storing(name) { () throws(StoreError) in
            try IngestDirectory.make(in: store)
        }
        let members: MemberList<ByteString>
        do throws(CodecError) {
            var source = try DecompressingSource(DescriptorSource(file))
            members = try read(&source, into: directory.descriptor, cancellation)
        } catch {
            throw LaminaError(error, about: name)
        }
        return SpooledMembers(directory, members)
    }

    func open(_ member: ByteString) throws(Errno) -> OpenMember? {
        guard let (file, size) = members.find(member) else { return nil }
        return OpenMember(file: try directory.descriptor.open(file, O_RDONLY), size: size)
    }

    private static func read(
        _ source: inout DecompressingSource<DescriptorSource>, into directory: borrowing Descriptor,
        _ cancellation: Cancellation
    ) throws(CodecError) -> MemberList<ByteString> {
        var members = MemberList<ByteString>()
        var parser = TarParser(limits: TarLimits(entries: UInt64(MemberName.countLimit), sparseSize: 0))
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var current: Descriptor?
        while true {
            var space = buffer.mutableSpan
            // SAFETY: the source writes within the local buffer.
            let count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(CodecError) in
                try unsafe source.read(into: bytes)
            }
            if count == 0 { break }
            if cancellation.isCancelled { throw .cancelled }
            let chunk = buffer.span.extracting(0..<count)
            var cursor = 0
            while let event = try parser.next(in: chunk, at: &cursor) {
                do throws(Errno) {
                    switch event {
                    case .entry(let entry): current = try take(entry, into: directory, &members)
                    case .payload(let range): try current?.writeAll(chunk.extracting(range).raw)
                    case .endOfEntry: current = nil
                    }
                } catch {
                    throw .write(error)
                }
            }
        }
        try parser.finish()
        return members
    }

    /// Remembers a member; gives the file for its payload.
    private static func take(
        _ entry: TarEntry, into directory: borrowing Descriptor, _ members: inout MemberList<ByteString>
    ) throws(Errno) -> Descriptor? {
        if members.addLink(entry) || entry.kind != .file { return nil }
        let file = ByteString("member-\(UInt64.random(in: 0 ... .max))")
        members.add(entry, at: file)
        return try directory.open(file, O_WRONLY | O_CREAT | O_EXCL, permissions: 0o600)
    }
}
