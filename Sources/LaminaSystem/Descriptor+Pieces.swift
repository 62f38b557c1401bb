// Reading a whole file piece by piece, through one buffer.

import Glibc
import LaminaCore

extension Descriptor {
    /// Gives `body` all bytes of a file from its start, at most 1 MiB at a time. O(bytes).
    public borrowing func forEachPiece(_ body: (RawSpan) -> Void) throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: Int64 = 0
        while true {
            var space = buffer.mutableSpan
            // SAFETY: the kernel writes within the local array.
            let count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                try unsafe read(into: bytes, at: offset)
            }
            if count == 0 { return }
            body(buffer.raw.extracting(first: count))
            offset &+= Int64(count)
        }
    }
}
