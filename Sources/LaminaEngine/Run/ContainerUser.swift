// ContainerUser owns who a program runs as: names are looked up in the sandbox's own files.

import Glibc
import LaminaCore
import LaminaSystem

/// The ids of a process of a container.
struct ContainerUser: Equatable {
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    var groups: [UInt32] = []
    var home = "/"

    /// Bytes of `/etc/passwd` or `/etc/group` that are read at most.
    private static let fileLimit = 1 << 20

    /// `USER[:GROUP]` as an image's `User` has it; empty for root. Throws `notFound` for an unknown name.
    init(_ text: String, in root: borrowing Descriptor) throws(LaminaError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let wanted = parts.first.flatMap { $0.isEmpty ? nil : $0 } ?? "0"
        let users = Self.lines("etc/passwd", in: root)
        let user = users.first { $0.count > 5 && ($0[0] == wanted || $0[2] == wanted) }
        guard let uid = UInt32(wanted) ?? user.flatMap({ UInt32($0[2]) }) else {
            throw LaminaError(.notFound, wanted, "no such user in the sandbox's /etc/passwd")
        }
        self.uid = uid
        gid = user.flatMap { UInt32($0[3]) } ?? 0
        if let user { home = user[5] }
        let all = Self.lines("etc/group", in: root)
        if parts.count > 1, !parts[1].isEmpty {
            let group = all.first { $0.count > 2 && $0[0] == parts[1] }
            guard let id = UInt32(parts[1]) ?? group.flatMap({ UInt32($0[2]) }) else {
                throw LaminaError(.notFound, parts[1], "no such group in the sandbox's /etc/group")
            }
            gid = id
        } else if let name = user?[0] {
            groups = all.filter { $0.count > 3 && $0[3].split(separator: ",").contains { $0 == name } }
                .compactMap { UInt32($0[2]) }
        }
    }

    /// Fields of the lines of a file; none where it is missing. No symlink leads out of the sandbox.
    private static func lines(_ path: ByteString, in root: borrowing Descriptor) -> [[String]] {
        guard
            let file = try? root.open(
                path, O_RDONLY | O_NONBLOCK, resolve: Resolve.inRoot | Resolve.noMagicLinks),
            let bytes = try? file.readAll(limit: fileLimit)
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
    }
}
