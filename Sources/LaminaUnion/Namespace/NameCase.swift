// NameCase owns the rule by which two names are one where case is ignored, and how a name is found by it.
//
// Invariant: beyond this file names are compared byte by byte. Who ignores case turns a name that was asked for into
// the one that the tree has, before anything else sees it.

import LaminaCore

/// A name as it counts where case is ignored: each character in upper case by Unicode's one-to-one mapping, as
/// NTFS's `$UpCase` table has it for UTF-16 units. Characters whose upper case is several (`ß`), is beyond 16 bits or
/// is ASCII while they are not (`ı`, `ſ`) stay as they are; so does a name that is not UTF-8, but for its ASCII letters.
struct CaselessName {
    private let bytes: [UInt8]
    private let isASCII: Bool

    init(_ name: ByteString) {
        bytes = Self.upper(name.bytes)
        isASCII = bytes.allSatisfy { $0 < 0x80 }
    }

    /// Whether `name` is this one. O(bytes), without allocation where either is ASCII.
    func matches(_ name: Span<UInt8>) -> Bool {
        if isASCII {
            // Nothing but ASCII becomes ASCII.
            guard name.count == bytes.count else { return false }
            for index in name.indices where Self.upper(name[index]) != bytes[index] { return false }
            return true
        }
        var copy: [UInt8] = []
        var hasOther = false
        copy.reserveCapacity(name.count)
        for index in name.indices {
            copy.append(name[index])
            hasOther = hasOther || name[index] >= 0x80
        }
        return hasOther && Self.upper(copy[...]) == bytes
    }

    private static func upper(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte - 0x20 : byte
    }

    private static func upper(_ name: ArraySlice<UInt8>) -> [UInt8] {
        guard name.contains(where: { $0 >= 0x80 }), let text = String(validating: name, as: UTF8.self) else {
            return name.map { upper($0) }
        }
        return text.unicodeScalars.flatMap { Array(String(upper($0)).utf8) }
    }

    private static func upper(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let mapped = scalar.properties.uppercaseMapping.unicodeScalars
        guard mapped.count == 1, let upper = mapped.first, scalar.isASCII || !upper.isASCII,
            upper.value <= 0xFFFF
        else { return scalar }
        return upper
    }
}

extension Namespace {
    /// The name in `parent` that `name` means where case is ignored: itself where it is there, else the first in the
    /// order of bytes that differs by case alone, else itself. O(entries of the directory) for a name that is not there.
    mutating func storedName(_ name: ByteString, in parent: NodeID) throws(Errno) -> ByteString {
        if try lookup(name, in: parent) != nil { return name }
        let wanted = CaselessName(name)
        var found: [ByteString] = []
        let node = table[parent]
        if let node {
            guard node.type == .directory, !node.isRemoved else { return name }
            for entry in try upper.open(node).openDirectory(".").entries()
            where entry.name.withSpan({ wanted.matches($0) }) {
                found.append(entry.name)
            }
        }
        if let merged = node == nil ? parent.nid : node?.lower {
            try lower.forEachEntry(of: merged, from: 0) { entry, _, _, _ in
                if wanted.matches(entry) { found.append(ByteString(entry)) }
                return true
            }
        }
        // Some may be hidden.
        for candidate in found.sorted() where try lookup(candidate, in: parent) != nil { return candidate }
        return name
    }
}

extension Union {
    /// The name that an operation on `name` in `parent` means. Beneath redirects, and where case counts, itself.
    func meant(_ name: ByteString, in parent: NodeID) throws(Errno) -> ByteString {
        guard ignoresCase, !parent.isRedirected, name.count <= Limits.nameLength else { return name }
        return try withNamespace { (namespace) throws(Errno) in
            try namespace.storedName(name, in: parent)
        }
    }

    /// An entry whose name the kernel may remember as long as it means one thing: not where case is ignored, since
    /// the same node may lose its name under another spelling.
    func named(_ entry: Entry) -> Entry {
        guard ignoresCase else { return entry }
        var entry = entry
        entry.isNameFleeting = true
        return entry
    }
}
