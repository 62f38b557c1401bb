// MappedFile owns one read-only mapping of a whole file.

import Glibc
import LaminaCore

/// A file's bytes, mapped read-only. A file that shrinks while mapped would deliver
/// SIGBUS, so only files that are never changed in place may be mapped.
@safe
public struct MappedFile: ~Copyable, @unchecked Sendable {
    // SAFETY: the mapping is immutable and lives until deinit.
    private let base: UnsafeRawPointer
    /// The number of bytes.
    public let count: Int

    /// Maps all of `file`; `EINVAL` when it is empty.
    public init(_ file: borrowing Descriptor) throws(Errno) {
        let size = try file.status().size
        guard size > 0, let length = Int(exactly: size) else { throw .invalidArgument }
        let raw = file.rawValue
        // SAFETY: a fresh shared read-only mapping; checked against MAP_FAILED below.
        let address = unsafe mmap(nil, length, PROT_READ, MAP_SHARED, raw, 0)
        guard let address = unsafe address, unsafe address != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw lastError()
        }
        unsafe base = UnsafeRawPointer(address)
        count = length
    }

    deinit {
        // SAFETY: unmaps exactly what init mapped; no span outlives self.
        unsafe munmap(UnsafeMutableRawPointer(mutating: base), count)
    }

    /// The mapped bytes.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // SAFETY: the mapping lives as long as self, which the lifetime says.
            let span = unsafe RawSpan(_unsafeStart: base, byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Tells the kernel that access will jump about (`MADV_RANDOM`) or not.
    public borrowing func advise(_ advice: Int32) {
        // SAFETY: advice changes no bytes.
        _ = unsafe madvise(UnsafeMutableRawPointer(mutating: base), count, advice)
    }

    /// Takes the whole pages of a part out of this process's memory. They stay in the kernel's cache, and
    /// each comes back when it is next read.
    public borrowing func letGo(of range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = max(range.lowerBound, 0) / page * page
        let end = min(range.upperBound, count)
        guard start < end else { return }
        // SAFETY: within the mapping; a shared mapping of a file loses nothing.
        _ = unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
    }
}
