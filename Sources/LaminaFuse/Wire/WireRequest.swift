// WireRequest owns the reading of a request as the kernel wrote it (include/uapi/linux/fuse.h).
// Nothing is read that was not checked to be there.

import Glibc
import LaminaCore

/// Requests that libfuse 3.14 does not know or passes on without what we need of them, those that
/// are answered without it, and those that may take long.
enum Opcode {
    static let lookup: UInt32 = 1
    static let forget: UInt32 = 2
    static let getattr: UInt32 = 3
    static let setattr: UInt32 = 4
    static let readlink: UInt32 = 5
    static let open: UInt32 = 14
    static let read: UInt32 = 15
    static let write: UInt32 = 16
    static let fsync: UInt32 = 20
    static let setxattr: UInt32 = 21
    static let getxattr: UInt32 = 22
    static let listxattr: UInt32 = 23
    static let initialize: UInt32 = 26
    static let readdir: UInt32 = 28
    static let fsyncdir: UInt32 = 30
    static let create: UInt32 = 35
    static let interrupt: UInt32 = 36
    static let ioctl: UInt32 = 39
    static let batchForget: UInt32 = 42
    static let fallocate: UInt32 = 43
    static let readdirplus: UInt32 = 44
    static let copyFileRange: UInt32 = 47
    static let tmpfile: UInt32 = 51
    static let statx: UInt32 = 52
}

/// `struct fuse_in_header`.
struct WireHeader {
    /// Bytes of the structure on the wire.
    static let size = 40

    let opcode: UInt32
    let unique: UInt64
    let node: UInt64
    let uid: UInt32
    let gid: UInt32
    let caller: WireCaller

    /// - Throws: `EINVAL` for a request that is shorter than its header or than it says.
    @inline(__always)
    init(_ request: RawSpan) throws(Errno) {
        let length: UInt32 = try request.wire(at: 0)
        guard Int(length) >= Self.size, Int(length) <= request.byteCount else { throw .invalidArgument }
        opcode = try request.wire(at: 4)
        unique = try request.wire(at: 8)
        node = try request.wire(at: 16)
        uid = try request.wire(at: 24)
        gid = try request.wire(at: 28)
        caller = WireCaller(process: try request.wire(at: 32))
    }
}

extension RawSpan {
    /// The integer at `offset`, in the machine's byte order as the protocol has it.
    /// - Throws: `EINVAL` where it would leave the request.
    @inline(__always)
    func wire<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) throws(Errno) -> Value {
        guard offset >= 0, byteCount >= MemoryLayout<Value>.size,
            offset <= byteCount &- MemoryLayout<Value>.size
        else { throw .invalidArgument }
        // SAFETY: the range was just checked; any bits are an integer.
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    /// The bytes at `offset` up to their NUL.
    /// - Throws: `EINVAL` when no NUL follows, or not within the longest name.
    func wireName(at offset: Int) throws(Errno) -> ByteString {
        var bytes: [UInt8] = []
        while true {
            let byte: UInt8 = try wire(at: offset &+ bytes.count)
            if byte == 0 { return ByteString(bytes) }
            guard bytes.count < Limits.nameLength else { throw .invalidArgument }
            bytes.append(byte)
        }
    }

    /// The bytes at `offset` up to their NUL, where they are.
    /// - Throws: `EINVAL` when no NUL follows.
    @inline(__always)
    @_lifetime(copy self)
    func wireNameSpan(at offset: Int) throws(Errno) -> Span<UInt8> {
        guard offset >= 0, offset < byteCount else { throw .invalidArgument }
        let rest = extracting(offset..<byteCount)
        // SAFETY: the search stays within the span.
        let length = unsafe rest.withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress, let end = unsafe memchr(base, 0, bytes.count) else {
                return nil
            }
            return unsafe base.distance(to: UnsafeRawPointer(end))
        }
        guard let length else { throw .invalidArgument }
        let name = Span<UInt8>(_bytes: rest.extracting(0..<length))
        // SAFETY: any bits are a byte, and the span is of the request's memory.
        return unsafe _overrideLifetime(name, copying: self)
    }

    /// `count` bytes at `offset`.
    /// - Throws: `EINVAL` where they would leave the request.
    func wireBytes(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount &- offset else {
            throw .invalidArgument
        }
        // SAFETY: the range was just checked and is copied out.
        return unsafe extracting(offset..<offset &+ count).withUnsafeBytes { unsafe Array($0) }
    }
}
