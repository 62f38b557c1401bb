// RequestBuffer owns the memory that one thread receives requests in. The kernel wants room for
// its largest request, 1 MiB and more, but hardly ever fills it: pages that a large one used go
// back when the thread has nothing to do.

import Glibc
import LaminaCore

/// Room for one request.
@safe
struct RequestBuffer: ~Copyable, @unchecked Sendable {
    // SAFETY: a mapping that lives from init to deinit and is reached through this value alone.
    private let base: UnsafeMutableRawPointer
    private var largest = 0

    /// The largest `max_write` that libfuse agrees on, and a page for what stands before the bytes.
    static let size = 256 * 4096 + 4096
    /// Bytes that an idle thread may keep.
    private static let kept = 16 * 4096

    /// - Throws: `ENOMEM`.
    init() throws(Errno) {
        let address = unsafe mmap(
            nil, Self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw .noMemory
        }
        unsafe base = unsafe address
    }

    deinit {
        unsafe munmap(base, Self.size)
    }

    /// Receives the next request: its length, or -1 with `errno`.
    @inline(__always)
    mutating func receive(from device: Int32) -> Int {
        // SAFETY: the mapping has `size` bytes.
        let count = unsafe WireDevice.read(device, base, Self.size)
        largest = max(largest, count)
        return count
    }

    /// The first `count` bytes, those of a request that was received.
    @inline(__always)
    func withRequest<Value>(_ count: Int, _ body: (RawSpan, UnsafeMutableRawPointer) -> Value) -> Value {
        // SAFETY: the kernel filled `count` bytes; the buffer stays as it is during the call.
        let request = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: min(count, Self.size))
        return unsafe body(request, base)
    }

    /// Gives back what a large request filled.
    mutating func shrink() {
        guard largest > Self.kept else { return }
        largest = 0
        // SAFETY: whole pages of the mapping, whose bytes nobody needs any more.
        unsafe madvise(base + Self.kept, Self.size - Self.kept, MADV_DONTNEED)
    }
}
