// WireAnswer owns the bytes of one answer at a time, in memory that its thread made once: the
// hot requests are answered without allocating.
//
// Invariant: nothing is written beyond the memory. What does not fit is left out and noted,
// and such an answer is sent as EIO.

import Glibc
import LaminaCore
import LaminaIndex

/// A reusable answer. Used by one thread.
@safe
struct WireAnswer: ~Copyable {
    /// Bytes of `struct fuse_out_header`, `fuse_entry_out` and `fuse_attr`.
    static let headerSize = 16
    static let entrySize = 128
    static let attributesSize = 88
    /// The longest answer: a file of a stream, which is shorter than an object.
    static let largestBody = Limits.objectThreshold

    // SAFETY: `capacity` bytes that live from init to deinit and are reached through this value alone.
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private(set) var count = headerSize
    private var isTooLong = false

    init() {
        capacity = Self.headerSize + Self.largestBody
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// Starts the answer to another request.
    mutating func start() {
        count = Self.headerSize
        isTooLong = false
    }

    /// Bytes that still fit.
    var room: Int { capacity &- count }

    /// Bytes behind the header.
    var bodyCount: Int { count &- Self.headerSize }

    /// Memory for `size` more bytes, whatever was in it before; nil when they do not fit.
    @unsafe
    @inline(__always)
    private mutating func take(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= 0, size <= room else {
            isTooLong = true
            return nil
        }
        // SAFETY: the range was just checked.
        let start = unsafe base + count
        count &+= size
        return unsafe start
    }

    @inline(__always)
    mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        // SAFETY: the memory has room for the value; the protocol is in the machine's byte order.
        unsafe take(MemoryLayout<Value>.size)?.storeBytes(of: value, as: Value.self)
    }

    @inline(__always)
    mutating func appendZeros(_ size: Int) {
        // SAFETY: `take` gave `size` bytes.
        if let start = unsafe take(size) { unsafe memset(start, 0, size) }
    }

    @inline(__always)
    mutating func append(_ bytes: RawSpan) {
        guard bytes.byteCount > 0, let start = unsafe take(bytes.byteCount) else { return }
        unsafe bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            // SAFETY: both have `source.count` bytes; the answer's memory is its own.
            unsafe memcpy(start, from, source.count)
        }
    }

    /// Appends what `fill` writes into at most `limit` bytes; it gives their number.
    @inline(__always)
    mutating func append(
        atMost limit: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int?
    ) throws(Errno) -> Bool {
        let space = max(0, min(limit, room))
        // SAFETY: within the memory behind what is written.
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: space)
        guard let size = try unsafe fill(buffer) else { return false }
        count &+= max(0, min(size, space))
        return true
    }

    /// Sends the answer to the request of this number.
    func send(to request: UInt64, _ device: Int32) {
        guard !isTooLong else { return Self.fail(.ioError, request, device) }
        // SAFETY: the header's bytes are always there; the kernel reads `count` bytes.
        unsafe base.storeBytes(of: UInt32(truncatingIfNeeded: count), as: UInt32.self)
        unsafe base.storeBytes(of: 0, toByteOffset: 4, as: Int32.self)
        unsafe base.storeBytes(of: request, toByteOffset: 8, as: UInt64.self)
        unsafe WireDevice.write(device, base, count)
    }

    /// Answers with an error alone.
    static func fail(_ error: Errno, _ request: UInt64, _ device: Int32) {
        // SAFETY: the header's own bytes, read during the call.
        unsafe withUnsafeTemporaryAllocation(byteCount: headerSize, alignment: 8) { header in
            guard let base = header.baseAddress else { return }
            unsafe base.storeBytes(of: UInt32(headerSize), as: UInt32.self)
            unsafe base.storeBytes(of: -error.rawValue, toByteOffset: 4, as: Int32.self)
            unsafe base.storeBytes(of: request, toByteOffset: 8, as: UInt64.self)
            unsafe WireDevice.write(device, base, headerSize)
        }
    }
}

extension WireAnswer {
    /// `struct fuse_attr` of a node that only the layers know; what `LowerTree.status` shows.
    @inline(__always)
    mutating func append(_ node: TreeNode, _ identities: Identities?) {
        append(node.nid)
        append(node.size)
        append(node.size / 512 &+ (node.size % 512 == 0 ? 0 : 1))
        for _ in 0..<3 { append(node.mtime.seconds) }
        for _ in 0..<3 { append(node.mtime.nanoseconds) }
        append(node.mode)
        append(node.linkCount)
        append(identities?.shownUser(node.uid) ?? node.uid)
        append(identities?.shownGroup(node.gid) ?? node.gid)
        append(node.device.encoded)
        append(UInt32(4096))
        append(UInt32(0))  // flags
    }

    /// `struct fuse_entry_out`; node 0 says that there is no such name, which the kernel remembers.
    @inline(__always)
    mutating func appendEntry(_ node: TreeNode?, _ identities: Identities?) {
        append(node?.nid ?? 0)
        append(UInt64(0))  // generation
        append(UInt64(Reply.timeout))
        append(UInt64(Reply.timeout))
        append(UInt64(0))  // nanoseconds of both
        if let node { append(node, identities) } else { appendZeros(Self.attributesSize) }
    }

    /// `struct fuse_attr_out`.
    @inline(__always)
    mutating func appendAttributes(_ node: TreeNode, _ identities: Identities?) {
        append(UInt64(Reply.timeout))
        append(UInt64(0))  // nanoseconds, padding
        append(node, identities)
    }
}

extension WireAnswer {
    /// Bytes of `struct fuse_dirent` without its name.
    static let direntSize = 24

    /// Bytes that an entry of a listing takes.
    @inline(__always)
    static func listedSize(name: Int, withAttributes: Bool) -> Int {
        ((withAttributes ? entrySize : 0) &+ direntSize &+ name &+ 7) & ~7
    }

    /// `struct fuse_dirent`, padded to eight bytes.
    @inline(__always)
    mutating func appendDirent(_ name: Span<UInt8>, inode: UInt64, type: FileType?, next: UInt64) {
        append(inode)
        append(next)
        append(UInt32(truncatingIfNeeded: name.count))
        append((type?.rawValue ?? 0) >> 12)
        append(name.raw)
        appendZeros(-name.count & 7)
    }
}
