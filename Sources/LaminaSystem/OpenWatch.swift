// OpenWatch owns an instance of inotify(7) that tells when somebody opens one of a few files.

import Glibc
import LaminaCore

/// Watches files for being opened.
public struct OpenWatch: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Stands for any of the files, where the kernel lost count.
    public static let any: Int32 = -1

    /// - Throws: `EMFILE` when this user has too many.
    public init() throws(Errno) {
        // inotify_init1(2): its flags are those of open.
        descriptor = Descriptor(owning: try checked { inotify_init1(O_CLOEXEC | O_NONBLOCK) })
    }

    /// Becomes readable when a file was opened.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Watches an open file from now on.
    /// - Returns: its number here.
    public borrowing func add(_ file: borrowing Descriptor) throws(Errno) -> Int32 {
        let raw = descriptor.rawValue
        // SAFETY: the path is NUL-terminated and alive during the call.
        return try unsafe file.processPath.withCString { (path) throws(Errno) in
            try checked { unsafe inotify_add_watch(raw, path, UInt32(IN_OPEN)) }
        }
    }

    /// Watches a file no more.
    public borrowing func remove(_ number: Int32) {
        _ = inotify_rm_watch(descriptor.rawValue, number)
    }

    /// The numbers of the files that were opened since the last time; never waits.
    public borrowing func opened() throws(Errno) -> [Int32] {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var space = buffer.mutableSpan
        let count: Int
        do throws(Errno) {
            // SAFETY: the local array.
            count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                try unsafe descriptor.read(into: bytes)
            }
        } catch .wouldBlock {
            return []
        }
        var numbers: [Int32] = []
        var place = 0
        // `struct inotify_event`: number, mask, cookie, bytes of a name, the name.
        while place + 16 <= count {
            let word = { (offset: Int) in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(buffer[place + offset + $1]) << (8 * UInt32($1)) }
            }
            let (number, mask) = (Int32(bitPattern: word(0)), word(4))
            if mask & UInt32(IN_OPEN | IN_Q_OVERFLOW) != 0 { numbers.append(number) }
            place += 16 + Int(min(word(12), 4_096))
        }
        return numbers
    }
}
