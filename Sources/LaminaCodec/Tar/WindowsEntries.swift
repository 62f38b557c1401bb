// WindowsEntries owns what entries of Windows layers mean on Linux beyond their `MSWINDOWS.` records: alternate data
// streams, and links whose targets are Windows paths. Source: Microsoft's go-winio, `backuptar/tar.go`.
//
// Invariant: only entries of which such records speak are touched, and only as they are shown; the tar stays as it is.

import LaminaCore

/// Says of an entry that it is an alternate data stream, and of what. The writer puts each stream behind its file or
/// directory, as a file of that one's name, a colon and the stream's name, without records of its own.
public struct AlternateStream: Sendable, Hashable {
    /// The path of the file or directory.
    public var owner: ByteString
    /// What it holds, once its payload was read.
    public var bytes: [UInt8] = []

    /// The xattr under which its owner shows the stream of this path.
    public func attributeName(_ path: ByteString) -> ByteString {
        "user.mswindows.stream." + path.dropFirst(owner.count + 1)
    }
}

/// The entry that streams may follow.
struct StreamOwner {
    private var path: ByteString?
    /// Bytes of the streams so far that xattrs are to hold.
    private var size: UInt64 = 0

    /// Looks at the next entry; says so in it when it is a stream that an xattr can hold.
    /// - Parameter room: bytes that all streams may have.
    mutating func meet(_ entry: inout TarEntry, room: UInt64) {
        if let path, entry.kind == .file, entry.sparse == nil, entry.path.count > path.count + 1,
            entry.path.hasPrefix(path), entry.path.bytes.dropFirst(path.count).first == UInt8(ascii: ":"),
            !entry.path.bytes.dropFirst(path.count).contains(UInt8(ascii: "/"))
        {
            let stream = AlternateStream(owner: path)
            if entry.size <= min(room &- size, UInt64(Limits.extendedAttributeValueLength)),
                stream.attributeName(entry.path).count <= Limits.extendedAttributeNameLength
            {
                entry.alternateStream = stream
                size &+= entry.size
            }
            return
        }
        let mayHaveStreams = entry.kind == .file || entry.kind == .directory
        let isOfWindows = entry.extendedAttributes.contains { $0.name.hasPrefix("user.mswindows.") }
        path = mayHaveStreams && isOfWindows && !entry.path.isEmpty ? entry.path : nil
    }
}

enum WindowsLink {
    /// Where a junction or symlink leads below the root of a container, which is its drive C: `C:\x\y`, `\\?\C:\x\y`
    /// and `\x\y` are `/x/y`, and `..\x` is `../x`. What leads elsewhere (other drives, volumes by their GUIDs,
    /// other machines, places relative to a drive's current directory) stays as it is.
    static func target(_ bytes: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var path = bytes.map { $0 == UInt8(ascii: "\\") ? slash : $0 }[...]
        let isDevice = ["//?/", "//./", "/??/"].contains { path.starts(with: $0.utf8) }
        if isDevice { path = path.dropFirst(4) }
        if path.dropFirst().first == UInt8(ascii: ":") {
            guard path.first == UInt8(ascii: "C") || path.first == UInt8(ascii: "c") else { return bytes }
            path = path.dropFirst(2)
            if path.isEmpty { return [slash] }
            return path.first == slash ? Array(path) : bytes
        }
        return isDevice || path.starts(with: [slash, slash]) ? bytes : Array(path)
    }
}
