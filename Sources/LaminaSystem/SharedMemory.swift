// SharedMemory owns memory that is a file without a name (`memfd_create(2)`): other processes read it
// by its descriptor, no disk ever writes it, and it is gone with the last process that has it.

import CLinux
import Glibc
import LaminaCore

/// A writable mapping of memory that others may read. Its size never changes, so that nobody can
/// take a page away from under it.
@safe
public struct SharedMemory: ~Copyable, @unchecked Sendable {
    /// The file, mode 0400, sealed against changes of its size; nil where there is none, and the
    /// memory is private.
    public let file: SharedDescriptor?
    // SAFETY: the mapping lives until deinit; who writes to it has to agree with others.
    private let base: UnsafeMutableRawPointer
    /// The number of bytes.
    public let count: Int

    /// Memory of zeros that is called `name` in `/proc/self/maps`. A page takes no room until it is
    /// written to.
    /// - Throws: `ENOMEM`.
    public init(name: ByteString, count: Int) throws(Errno) {
        file = try? Self.makeFile(name: name, count: count)
        let raw = file?.descriptor.rawValue ?? -1
        let flags = raw >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS
        // SAFETY: a fresh mapping; checked against MAP_FAILED below.
        let address = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, flags, raw, 0)
        guard let address = unsafe address, unsafe address != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw lastError()
        }
        unsafe base = address
        self.count = count
    }

    private static func makeFile(name: ByteString, count: Int) throws(Errno) -> SharedDescriptor {
        // SAFETY: the name is NUL-terminated and alive during the call.
        let raw = try unsafe name.withCString { (pointer) throws(Errno) in
            try checked { unsafe clinux_memfd(pointer) }
        }
        let file = Descriptor(owning: raw)
        try checked { ftruncate(raw, count) }
        try checked { fchmod(raw, 0o400) }
        try checked { clinux_seal_size(raw) }
        return SharedDescriptor(file)
    }

    deinit {
        // SAFETY: unmaps exactly what init mapped.
        unsafe munmap(base, count)
    }

    /// The first byte, page-aligned; valid as long as this value.
    @unsafe
    public var start: UnsafeMutableRawPointer { unsafe base }
}
