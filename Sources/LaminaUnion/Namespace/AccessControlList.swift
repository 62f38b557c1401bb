// AccessControlList owns the bytes in which xattrs hold a POSIX ACL (`acl(5)`, version 2 of
// include/uapi/linux/posix_acl_xattr.h), and the rule by which a new node inherits one.

import LaminaCore

/// A well-formed POSIX ACL: its three base entries are there, and a mask where names need one.
struct AccessControlList: Sendable, Equatable {
    static let accessName: ByteString = "system.posix_acl_access"
    static let defaultName: ByteString = "system.posix_acl_default"

    private struct Entry: Equatable {
        var tag: UInt16
        var permissions: UInt16
        var id: UInt32
    }

    private enum Tag {
        static let owner: UInt16 = 0x01
        static let user: UInt16 = 0x02
        static let owningGroup: UInt16 = 0x04
        static let group: UInt16 = 0x08
        static let mask: UInt16 = 0x10
        static let other: UInt16 = 0x20
    }

    private var entries: [Entry] = []

    /// Bytes of the header and of each entry.
    private static let headerSize = 4
    private static let entrySize = 8

    /// nil for bytes that the kernel would refuse.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > Self.headerSize, bytes[..<4].elementsEqual([2, 0, 0, 0]),
            (bytes.count - Self.headerSize) % Self.entrySize == 0
        else { return nil }
        func number(_ offset: Int, _ count: Int) -> UInt32 {
            (0..<count).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
        }
        for start in stride(from: Self.headerSize, to: bytes.count, by: Self.entrySize) {
            entries.append(
                Entry(
                    tag: UInt16(number(start, 2)), permissions: UInt16(number(start + 2, 2)),
                    id: number(start + 4, 4)))
        }
        guard isWellFormed else { return nil }
    }

    /// Entries come in the order of their tags, each base entry once.
    private var isWellFormed: Bool {
        guard entries.allSatisfy({ $0.permissions & ~7 == 0 }) else { return false }
        let tags = entries.map(\.tag)
        guard tags == tags.sorted(), tags.allSatisfy({ $0 < 0x40 && $0.nonzeroBitCount == 1 }) else {
            return false
        }
        func count(_ tag: UInt16) -> Int { tags.count { $0 == tag } }
        let named = count(Tag.user) + count(Tag.group)
        let masks = count(Tag.mask)
        return count(Tag.owner) == 1 && count(Tag.owningGroup) == 1 && count(Tag.other) == 1 && masks <= 1
            && (named == 0 || masks == 1)
    }

    var bytes: [UInt8] {
        var result: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            for shift in [0, 8] { result.append(UInt8(truncatingIfNeeded: entry.tag >> UInt16(shift))) }
            for shift in [0, 8] {
                result.append(UInt8(truncatingIfNeeded: entry.permissions >> UInt16(shift)))
            }
            for shift in [0, 8, 16, 24] {
                result.append(UInt8(truncatingIfNeeded: entry.id >> UInt32(shift)))
            }
        }
        return result
    }

    /// Whether permission bits alone say the same.
    var isMinimal: Bool { entries.count == 3 }

    /// Makes a directory's default list the access list of a node that is created with
    /// `permissions`: neither grants what the other does not (`acl(5)`, "Object creation").
    mutating func inherit(_ permissions: inout UInt32) {
        let hasMask = entries.contains { $0.tag == Tag.mask }
        for index in entries.indices {
            let shift: UInt32
            switch entries[index].tag {
            case Tag.owner: shift = 6
            case Tag.mask: shift = 3
            case Tag.owningGroup where !hasMask: shift = 3
            case Tag.other: shift = 0
            default: continue
            }
            let both = UInt32(entries[index].permissions) & permissions >> shift & 7
            entries[index].permissions = UInt16(truncatingIfNeeded: both)
            permissions = permissions & ~(7 << shift) | both << shift
        }
    }
}

/// What a directory hands down to new nodes, as far as it is known.
enum InheritedList {
    case unknown
    case none
    case list(AccessControlList)
}

extension Namespace {
    /// The default ACL of a directory; nil when it has none.
    func defaultList(of id: NodeID) throws(Errno) -> AccessControlList? {
        if let node = table[id] { return try defaultList(of: node) }
        guard let nid = id.nid else { throw .staleNFSFileHandle }
        return try lower.extendedAttribute(nid, AccessControlList.defaultName).flatMap(AccessControlList.init)
    }

    func defaultList(of node: UpperNode) throws(Errno) -> AccessControlList? {
        switch node.inherited {
        case .none: return nil
        case .list(let list): return list
        case .unknown: break
        }
        let value = try upper.open(node).mark(AccessControlList.defaultName)
        guard let value, let list = AccessControlList(value) else {
            node.inherited = .none
            return nil
        }
        node.inherited = .list(list)
        return list
    }
}
