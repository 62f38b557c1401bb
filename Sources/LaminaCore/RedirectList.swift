// RedirectList owns the file by which a sandbox's redirects reach the server of its mount: `redirects` in the
// sandbox's directory (docs/FORMAT-sandbox.md). Nothing in it is believed before it was checked.

/// A redirect, and what on this machine it leads to.
public struct PlacedRedirect: Sendable, Hashable {
    public var redirect: Redirect
    /// The absolute path of a bind's source or of a volume's files; the chain of an image, in hexadecimal
    /// digits; empty for a tmpfs.
    public var place: ByteString

    public init(_ redirect: Redirect, place: ByteString) {
        self.redirect = redirect
        self.place = place
    }
}

public enum RedirectListError: Error, Hashable, Sendable, CustomStringConvertible {
    case notAList
    case unsupportedVersion(UInt32)
    case damaged(String)

    public var description: String {
        switch self {
        case .notAList: "no list of redirects"
        case .unsupportedVersion(let version): "a list of redirects of version \(version), which is unknown"
        case .damaged(let reason): "damaged: \(reason)"
        }
    }
}

public enum RedirectList {
    /// Its name in the sandbox's directory.
    public static let name: ByteString = "redirects"
    /// Bytes of the longest list.
    public static let longest = 24 + Limits.redirectsPerSandbox * (16 + 4 * (2 + Limits.pathLength))

    private static let magic = Array("LAMREDIR".utf8)
    private static let version: UInt32 = 1
    private static let checksumSize = 8

    private enum Flag {
        static let readOnly: UInt8 = 1
        static let consistent: UInt8 = 2
        static let allowsSpecial: UInt8 = 4
        static let noCopy: UInt8 = 8
        static let anonymous: UInt8 = 16
        static let subpath: UInt8 = 32
        static let size: UInt8 = 64
        static let permissions: UInt8 = 128
    }

    public static func encode(_ list: [PlacedRedirect]) -> [UInt8] {
        var bytes = magic
        append(version, to: &bytes)
        append(UInt32(truncatingIfNeeded: list.count), to: &bytes)
        for item in list { append(item, to: &bytes) }
        append(checksum(bytes[...]), to: &bytes)
        return bytes
    }

    private static func append(_ item: PlacedRedirect, to bytes: inout [UInt8]) {
        let redirect = item.redirect
        var flags: UInt8 = 0
        if redirect.readOnly { flags |= Flag.readOnly }
        if redirect.consistency == .consistent { flags |= Flag.consistent }
        if redirect.allowsSpecial { flags |= Flag.allowsSpecial }
        if redirect.noCopy { flags |= Flag.noCopy }
        if redirect.isAnonymous { flags |= Flag.anonymous }
        if redirect.subpath != nil { flags |= Flag.subpath }
        if redirect.size != nil { flags |= Flag.size }
        if redirect.permissions != nil { flags |= Flag.permissions }
        bytes += [number(of: redirect.kind), flags, 0, 0]
        append(redirect.permissions ?? 0, to: &bytes)
        append(UInt64(clamping: redirect.size ?? 0), to: &bytes)
        for path in [redirect.target, redirect.source, redirect.subpath ?? ByteString(), item.place] {
            append(UInt16(clamping: path.count), to: &bytes)
            bytes += path.bytes
        }
    }

    private static func number(of kind: Redirect.Kind) -> UInt8 {
        switch kind {
        case .bind: 0
        case .volume: 1
        case .tmpfs: 2
        case .image: 3
        }
    }

    private static func append<Value: FixedWidthInteger>(_ value: Value, to bytes: inout [UInt8]) {
        for index in 0..<Value.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: value >> Value(8 * index)))
        }
    }

    /// FNV-1a of 64 bits: against accidents, not against who may write the sandbox.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// - Throws: for bytes that `encode` did not make. O(bytes).
    public static func decode(_ bytes: [UInt8]) throws(RedirectListError) -> [PlacedRedirect] {
        guard bytes.starts(with: magic) else { throw .notAList }
        var reader = Reader(bytes: bytes, place: magic.count, end: bytes.count)
        let version: UInt32 = try reader.number()
        guard version == Self.version else { throw .unsupportedVersion(version) }
        guard bytes.count >= reader.place + checksumSize else { throw .damaged("it is cut short") }
        var sum = Reader(bytes: bytes, place: bytes.count - checksumSize, end: bytes.count)
        guard try sum.number() == checksum(bytes.dropLast(checksumSize)) else {
            throw .damaged("its checksum is wrong")
        }
        reader.end = bytes.count - checksumSize
        let count: UInt32 = try reader.number()
        guard count <= UInt32(Limits.redirectsPerSandbox) else { throw .damaged("\(count) redirects") }
        var list: [PlacedRedirect] = []
        for _ in 0..<count { list.append(try item(&reader)) }
        guard reader.place == reader.end else { throw .damaged("bytes behind its end") }
        return list
    }

    private static func item(_ reader: inout Reader) throws(RedirectListError) -> PlacedRedirect {
        let head = (kind: try reader.number() as UInt8, flags: try reader.number() as UInt8)
        guard let kind = Redirect.Kind.allCases.first(where: { number(of: $0) == head.kind }) else {
            throw .damaged("a redirect of kind \(head.kind)")
        }
        guard try reader.number() == UInt16(0) else { throw .damaged("bits that mean nothing") }
        let permissions: UInt32 = try reader.number()
        let size: UInt64 = try reader.number()
        let (target, source) = (try reader.path(), try reader.path())
        let (subpath, place) = (try reader.path(), try reader.path())
        var redirect = Redirect(kind, source: source, target: target)
        redirect.readOnly = head.flags & Flag.readOnly != 0
        redirect.consistency = head.flags & Flag.consistent != 0 ? .consistent : .cached
        redirect.allowsSpecial = head.flags & Flag.allowsSpecial != 0
        redirect.noCopy = head.flags & Flag.noCopy != 0
        redirect.isAnonymous = head.flags & Flag.anonymous != 0
        if head.flags & Flag.subpath != 0 { redirect.subpath = subpath }
        if head.flags & Flag.permissions != 0 { redirect.permissions = permissions & 0o7777 }
        if head.flags & Flag.size != 0 { redirect.size = Int64(clamping: size) }
        let isPath = kind == .bind || kind == .volume
        guard isUsable(target), !target.components.isEmpty, !isPath || isUsable(place) else {
            throw .damaged("a path that is not absolute and clean")
        }
        if let subpath = redirect.subpath { try check(subpath) }
        return PlacedRedirect(redirect, place: place)
    }

    private static func isUsable(_ path: ByteString) -> Bool {
        path.hasPrefix("/")
            && path.components.allSatisfy { $0 != "." && $0 != ".." && $0.count <= Limits.nameLength }
    }

    /// `..` is the engine's to allow; what follows it never leaves the volume.
    private static func check(_ subpath: ByteString) throws(RedirectListError) {
        guard !subpath.hasPrefix("/") else { throw .damaged("a subpath that is not relative") }
    }

    private struct Reader {
        let bytes: [UInt8]
        var place: Int
        var end: Int

        mutating func number<Value: FixedWidthInteger>() throws(RedirectListError) -> Value {
            let size = Value.bitWidth / 8
            guard end - place >= size else { throw .damaged("it is cut short") }
            var value: Value = 0
            for index in 0..<size {
                value |= Value(truncatingIfNeeded: bytes[place + index]) << Value(8 * index)
            }
            place += size
            return value
        }

        mutating func path() throws(RedirectListError) -> ByteString {
            let count = Int(try number() as UInt16)
            guard count <= Limits.pathLength, end - place >= count else { throw .damaged("it is cut short") }
            let path = ByteString(bytes[place..<place + count])
            guard path.count == count else { throw .damaged("a NUL in a path") }
            place += count
            return path
        }
    }
}
