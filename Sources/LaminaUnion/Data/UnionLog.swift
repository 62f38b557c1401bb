// UnionLog owns the one way in which the union says what no reply can: a line on standard
// error, which is the sandbox's mountd.log.

import Glibc

enum UnionLog {
    static func report(_ text: String) {
        let line = Array("lamina-mountd: \(text)\n".utf8)
        // SAFETY: the array is alive during the call.
        _ = unsafe write(2, line, line.count)
    }
}
