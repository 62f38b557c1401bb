// Finds the members of an uncompressed tar in place: reads headers, skips payloads.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// The members of an uncompressed tar that can be read at any place.
final class ArchiveMembers: MemberRoom {
    private let file: Descriptor
    private let members: MemberList<Int64>

    /// Finds all members. O(members) reads.
    init(_ file: consuming Descriptor, called name: String) throws(LaminaError) {
        do throws(CodecError) {
            members = try Self.members(of: file)
        } catch {
            throw LaminaError(error, about: name)
        }
        self.file = file
    }

    func open(_ member: ByteString) throws(Errno) -> OpenMember? {
        guard let (offset, size) = members.find(member) else { return nil }
        // A descriptor of its own, with its own position: members are read in parallel.
        let own = try Descriptor.open(file.processPath, O_RDONLY)
        try own.seek(to: offset)
        return OpenMember(file: own, size: size)
    }

    private static func members(of file: borrowing Descriptor) throws(CodecError) -> MemberList<Int64> {
        var members = MemberList<Int64>()
        var offset: Int64 = 0
        while let (entry, start) = try next(in: file, at: offset) {
            if !members.addLink(entry), entry.kind == .file { members.add(entry, at: start) }
            guard members.count <= MemberName.countLimit else {
                throw CodecError.layer(.tooManyEntries(limit: UInt64(MemberName.countLimit)))
            }
            // The size is that of a signed field, rounded up to a block.
            let (end, overflow) = start.addingReportingOverflow(Int64(clamping: entry.size))
            let (next, further) = end.addingReportingOverflow(511)
            guard !overflow, !further else { throw CodecError.tar(.numberOutOfRange, offset: UInt64(start)) }
            offset = next & ~511
        }
        return members
    }

    /// The entry whose header, with its extensions, starts at `offset`, and where its payload
    /// starts; nil at the archive's end.
    private static func next(
        in file: borrowing Descriptor, at offset: Int64
    ) throws(CodecError) -> (TarEntry, Int64)? {
        var parser = TarParser(limits: TarLimits(sparseSize: 0))
        var position = offset
        var size = 512
        // Extension headers are bounded by the parser, so this ends.
        while true {
            let chunk: [UInt8]
            do throws(Errno) {
                chunk = try file.readBytes(at: position, count: size)
            } catch {
                throw .read(error)
            }
            if chunk.isEmpty || (position == offset && chunk.allSatisfy { $0 == 0 }) {
                try parser.finish()
                return nil
            }
            var cursor = 0
            while let event = try parser.next(in: chunk.span, at: &cursor) {
                if case .entry(let entry) = event { return (entry, offset + Int64(parser.offset)) }
            }
            position += Int64(chunk.count)
            size = 4096
        }
    }
}
