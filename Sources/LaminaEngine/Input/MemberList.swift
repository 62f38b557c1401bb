// The list of an archive's members: how they are named, and where links among them lead.

import LaminaCodec
import LaminaCore

/// The members of an archive by name; `Place` says where one's bytes are.
struct MemberList<Place: Sendable>: Sendable {
    private enum Member {
        case file(Place, size: UInt64)
        case link(ByteString)
    }

    private var members: [ByteString: Member] = [:]

    var count: Int { members.count }

    /// Adds a file. A later member of one name replaces an earlier one, as in a tar.
    mutating func add(_ entry: TarEntry, at place: Place) {
        members[entry.path] = .file(place, size: entry.size)
    }

    /// Adds a link if `entry` is one that stays in the archive; false when it is no link.
    mutating func addLink(_ entry: TarEntry) -> Bool {
        guard let target = MemberName.linkTarget(of: entry) else { return false }
        members[entry.path] = .link(target)
        return true
    }

    /// Where the member's bytes are, and how many, through at most 8 links.
    func find(_ name: ByteString) -> (place: Place, size: UInt64)? {
        var current = name
        for _ in 0..<8 {
            switch members[current] {
            case nil: return nil
            case .file(let place, let size): return (place, size)
            case .link(let target): current = target
            }
        }
        return nil
    }
}

enum MemberName {
    /// Members an archive of images may have, and bytes of their names together: far above
    /// what images need, and bounded in memory.
    static let countLimit = 200_000

    /// What a link in an archive means: docker-archives link one layer.tar to another.
    /// Nil when it leaves the archive.
    static func linkTarget(of entry: TarEntry) -> ByteString? {
        switch entry.kind {
        case .hardLink(let target): return target
        case .symlink(let target):
            if target.hasPrefix("/") { return nil }
            var parts = Array(entry.path.components.dropLast())
            for part in target.components {
                if part == "." { continue }
                if part == ".." {
                    guard parts.popLast() != nil else { return nil }
                } else {
                    parts.append(part)
                }
            }
            return parts.reduce(ByteString()) { $0.appending($1) }
        default: return nil
        }
    }
}
