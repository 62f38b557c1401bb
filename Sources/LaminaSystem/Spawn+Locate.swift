// Finding a program by its name.

import Glibc
import LaminaCore

extension Spawn {
    /// The file of a program that is in `PATH` or in one of the system's own directories; nil
    /// when there is none.
    public static func locate(_ name: ByteString) -> ByteString? {
        // SAFETY: a terminated string, copied at once; nobody changes the environment.
        let path = unsafe getenv("PATH").map { unsafe ByteString(cString: $0) } ?? ""
        let everywhere = path + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        for directory in everywhere.bytes.split(separator: UInt8(ascii: ":")) {
            guard directory.first == UInt8(ascii: "/") else { continue }
            let file = ByteString(directory).appending(name)
            if let status = try? FileStatus.of(file, follow: true), status.type == .regular { return file }
        }
        return nil
    }
}
