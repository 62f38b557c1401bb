// Shell commands inside a mount, as any user: for permissions that only another user
// meets, and for calls that only another process makes.

import Glibc
import LaminaCore
import LaminaSystem

extension MountedSandbox {
    /// Runs `script` with the mount as its working directory and returns what it printed, standard
    /// errors too. A script that fails prints "failed" last.
    public func shell(
        _ script: String, uid: UInt32 = 0, gid: UInt32 = 0, groups: [UInt32] = []
    ) throws -> [String] {
        let directory = try TemporaryDirectory()
        let output = try directory.descriptor.open("output", O_RDWR | O_CREAT, permissions: 0o600)
        let source = try output.duplicate(from: 10)
        let list = groups.map(String.init).joined(separator: ",")
        let words =
            ["--reuid", "\(uid)", "--regid", "\(gid)"]
            + (groups.isEmpty ? ["--clear-groups"] : ["--groups", list])
        // Standard errors follow standard output once the shell runs: a number is handed over once.
        let text = "exec 2>&1; cd \(mountpoint) || exit 9; { \(script)\n} || echo failed"
        var command = Spawn("/usr/bin/setpriv", (words + ["/bin/bash", "-c", text]).map { ByteString($0) })
        command.descriptors = [(1, source.rawValue)]
        _ = try command.run()
        return String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }
}
