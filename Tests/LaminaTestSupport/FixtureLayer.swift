// Layers for tests, written down entry by entry.

import LaminaCodec
import LaminaCore

/// One entry of a test layer; its bytes, if it is a file, come with it.
public struct FixtureEntry: Sendable {
    public var entry: TarEntry
    public var bytes: [UInt8] = []
    /// Makes the file a sparse object of this size with `bytes` at its start.
    public var sparseSize: UInt64?

    public init(entry: TarEntry, bytes: [UInt8] = []) {
        self.entry = entry
        self.bytes = bytes
    }

    public static func directory(
        _ path: ByteString, _ permissions: UInt32 = 0o755, uid: UInt32 = 0,
        attributes: [ExtendedAttribute] = []
    ) -> FixtureEntry {
        var result = make(path, .directory, .directory, permissions, uid: uid)
        result.entry.extendedAttributes = attributes
        return result
    }

    public static func file(
        _ path: ByteString, _ text: String, _ permissions: UInt32 = 0o644, uid: UInt32 = 0,
        attributes: [ExtendedAttribute] = []
    ) -> FixtureEntry {
        file(path, bytes: Array(text.utf8), permissions, uid: uid, attributes: attributes)
    }

    public static func file(
        _ path: ByteString, bytes: [UInt8], _ permissions: UInt32 = 0o644, uid: UInt32 = 0,
        attributes: [ExtendedAttribute] = []
    ) -> FixtureEntry {
        var result = make(path, .file, .regular, permissions, uid: uid)
        result.entry.size = UInt64(bytes.count)
        result.entry.extendedAttributes = attributes
        result.bytes = bytes
        return result
    }

    /// An object that takes no room; its digest is not that of its bytes.
    public static func sparse(_ path: ByteString, _ size: UInt64, bytes: [UInt8] = []) -> FixtureEntry {
        var result = file(path, bytes: bytes)
        result.entry.size = size
        result.sparseSize = size
        return result
    }

    public static func symlink(_ path: ByteString, _ target: ByteString) -> FixtureEntry {
        make(path, .symlink(target: target), .symlink, 0o777)
    }

    public static func hardLink(_ path: ByteString, _ target: ByteString) -> FixtureEntry {
        make(path, .hardLink(target: target), .regular, 0o644)
    }

    public static func whiteout(_ directory: ByteString, _ name: ByteString) -> FixtureEntry {
        file(directory.appending(Whiteout.prefix + name), "")
    }

    public static func opaque(_ directory: ByteString) -> FixtureEntry {
        file(directory.appending(Whiteout.opaqueMarker), "")
    }

    private static func make(
        _ path: ByteString, _ kind: TarEntryKind, _ type: FileType, _ permissions: UInt32, uid: UInt32 = 0
    ) -> FixtureEntry {
        let attributes = FileAttributes(
            type: type, permissions: permissions, uid: uid, gid: uid,
            mtime: Timestamp(seconds: 1_600_000_000, nanoseconds: 123_456_789))
        return FixtureEntry(entry: TarEntry(path: path, kind: kind, attributes: attributes))
    }
}
