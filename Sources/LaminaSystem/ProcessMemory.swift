// ProcessMemory owns the one number by which this process knows how much of its mapped files is resident.

import Glibc
import LaminaCore

/// This process's memory as the kernel counts it (`proc_pid_statm(5)`).
public struct ProcessMemory: ~Copyable, Sendable {
    private let file: Descriptor

    /// - Throws: where there is no `/proc`.
    public init() throws(Errno) {
        file = try Descriptor.open("/proc/self/statm", O_RDONLY)
    }

    /// Bytes of mapped files, and of memory shared with others, that are resident: programs, libraries and
    /// data. About a microsecond, without allocation.
    public borrowing func residentFileBytes() throws(Errno) -> Int {
        // Seven numbers of at most 20 digits: size, resident, shared and others, in pages.
        var text = InlineArray<160, UInt8>(repeating: 0)
        var space = text.mutableSpan
        let count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
            // SAFETY: the kernel writes within the local.
            try unsafe file.read(into: bytes, at: 0)
        }
        var number = 0
        var field = 0
        for index in 0..<min(count, text.count) {
            let byte = text[index]
            if byte == UInt8(ascii: " ") {
                if field == 2 { break }
                field += 1
                number = 0
            } else if (0x30...0x39).contains(byte) {
                number = number &* 10 &+ Int(byte &- 0x30)
            }
        }
        guard field == 2 else { throw .ioError }
        return number &* Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
