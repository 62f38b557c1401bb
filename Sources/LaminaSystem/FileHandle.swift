// FileHandle owns the kernel's lasting name of a file, by which it is opened again without a path: one that was
// removed meanwhile is not mistaken for another of its number.

import CLinux
import Glibc
import LaminaCore

/// What `name_to_handle_at(2)` gives.
public struct FileHandle: Hashable, Sendable {
    private let type: Int32
    private let bytes: [UInt8]

    /// - Throws: `EOPNOTSUPP` where the filesystem has none.
    public init(of file: borrowing Descriptor) throws(Errno) {
        var type: Int32 = 0
        var bytes = [UInt8](repeating: 0, count: Int(CLINUX_HANDLE_SIZE))
        let raw = file.rawValue
        // SAFETY: the array has the size that the call wants.
        let count = try checked { unsafe clinux_file_handle(raw, &type, &bytes) }
        bytes.removeLast(bytes.count - min(Int(count), bytes.count))
        self.type = type
        self.bytes = bytes
    }

    /// Opens the file.
    /// - Parameter filesystem: any open file of its filesystem that is no `O_PATH` one.
    /// - Throws: `ESTALE` when it is gone; `EPERM` without `CAP_DAC_READ_SEARCH`.
    public func open(on filesystem: borrowing Descriptor, _ flags: Int32) throws(Errno) -> Descriptor {
        let mount = filesystem.rawValue
        let raw = try checked {
            // SAFETY: the array lives during the call, which reads `count` bytes.
            unsafe clinux_open_handle(mount, type, bytes, UInt32(bytes.count), flags | O_CLOEXEC)
        }
        return Descriptor(owning: raw)
    }
}
