// OverrideStat owns the text in which a file of a sandbox says whose it is meant to be, where
// the user who keeps the sandbox may not give it away.

/// Owner and permissions that a file is meant to have, in the form of containers/storage and
/// fuse-overlayfs: `uid:gid:mode`, the mode octal; a fourth field, the type, is not needed here.
public struct OverrideStat: Hashable, Sendable {
    /// The xattr that holds it.
    public static let attribute: ByteString = "user.containers.override_stat"

    public var uid: UInt32
    public var gid: UInt32
    /// The low twelve bits of `st_mode`.
    public var permissions: UInt32

    public init(uid: UInt32, gid: UInt32, permissions: UInt32) {
        self.uid = uid
        self.gid = gid
        self.permissions = permissions & 0o7777
    }

    /// Nil for bytes that are no such text.
    public init?(_ bytes: [UInt8]) {
        let fields = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count >= 3, let uid = UInt32(fields[0]), let gid = UInt32(fields[1]),
            let mode = UInt32(fields[2], radix: 8)
        else { return nil }
        self.init(uid: uid, gid: gid, permissions: mode)
    }

    /// The xattr's value.
    public var encoded: [UInt8] {
        Array("\(uid):\(gid):0\(String(permissions, radix: 8))".utf8)
    }
}
