// WireRequest owns the reading of a request as the kernel wrote it (include/uapi/linux/fuse.h).
// Nothing is read that was not checked to be there.

import LaminaCore

/// Requests that libfuse 3.14 does not know, or passes on without what we need of them.
enum Opcode {
    static let setattr: UInt32 = 4
    static let open: UInt32 = 14
    static let setxattr: UInt32 = 21
    static let initialize: UInt32 = 26
    static let create: UInt32 = 35
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
