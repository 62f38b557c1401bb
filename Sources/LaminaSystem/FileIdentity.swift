// FileIdentity owns for whom a thread makes files: the kernel gives a new file its owner in the step that makes
// it, so that nobody can put another file in its place before.

import CLinux
import Glibc
import LaminaCore

public enum FileIdentity {
    private static let server = (uid: geteuid(), gid: getegid())

    /// Runs `body`, whose new files belong to `uid` and `gid`. A process that is not root makes its own files
    /// only, and just runs `body`.
    /// - Throws: `EINVAL` for an id that is none in this process's user namespace.
    public static func run<Value: ~Copyable>(
        as uid: UInt32, _ gid: UInt32, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        guard server.uid == 0, (uid, gid) != (server.uid, server.gid) else { return try body() }
        guard clinux_begin_identity(uid, gid) == 0 else { throw lastError() }
        defer { clinux_end_identity() }
        return try body()
    }
}
