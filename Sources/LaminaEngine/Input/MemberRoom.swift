// Where members of an input are, and how one is opened: the protocol, and the simplest
// of its rooms, a directory.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// A set of named members. Any number may be open at once, from any threads.
protocol MemberRoom: Sendable {
    /// Opens a member; nil when there is none.
    func open(_ member: ByteString) throws(Errno) -> OpenMember?
}

/// An open member: a file that stands at its first byte.
struct OpenMember: ~Copyable {
    let file: Descriptor
    /// Bytes of the member.
    let size: UInt64

    /// Its bytes, and none of what stands behind them in an archive.
    consuming func source() -> DescriptorSource {
        DescriptorSource(file, limit: size)
    }
}

/// The files below a directory.
final class DirectoryMembers: MemberRoom {
    private let directory: Descriptor

    init(_ directory: consuming Descriptor) {
        self.directory = directory
    }

    func open(_ member: ByteString) throws(Errno) -> OpenMember? {
        do throws(Errno) {
            // A fifo must not make the open wait.
            let file = try directory.open(member, O_RDONLY | O_NONBLOCK)
            let status = try file.status()
            guard status.type == .regular, let size = UInt64(exactly: status.size) else { return nil }
            return OpenMember(file: file, size: size)
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }
}
