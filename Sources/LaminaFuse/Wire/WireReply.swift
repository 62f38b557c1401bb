// WireReply owns the writing of answers that libfuse 3.14 has no function for: a header
// and a body of the protocol's structures, in one write(2).

import LaminaCore
import LaminaSystem
import LaminaUnion

/// An answer under construction.
struct WireReply {
    private var bytes: [UInt8]

    /// Bytes so far, with the header.
    var size: Int { bytes.count }

    init(to request: UInt64) {
        bytes = []
        bytes.reserveCapacity(320)
        // `struct fuse_out_header`; the length follows when it is known.
        append(UInt32(0))
        append(Int32(0))
        append(request)
    }

    /// The answer that says only `error`.
    static func failure(_ error: Errno, to request: UInt64) -> WireReply {
        var reply = WireReply(to: request)
        reply.bytes.replaceSubrange(4..<8, with: bytes(of: -error.rawValue))
        return reply
    }

    /// `FUSE_NOTIFY_INVAL_INODE` without a range: attributes and ACLs of a node have to be asked
    /// for again, cached bytes stay.
    static func attributesChanged(of node: NodeID) -> WireReply {
        var reply = WireReply(to: 0)
        reply.bytes.replaceSubrange(4..<8, with: bytes(of: Int32(2)))
        reply.append(node.rawValue)
        reply.append(Int64(-1))
        reply.append(Int64(0))
        return reply
    }

    /// `FUSE_NOTIFY_INVAL_INODE` of all pages: the listing that the kernel keeps of a directory, too.
    static func listingChanged(of directory: NodeID) -> WireReply {
        var reply = WireReply(to: 0)
        reply.bytes.replaceSubrange(4..<8, with: bytes(of: Int32(2)))
        reply.append(directory.rawValue)
        reply.append(Int64(0))
        reply.append(Int64(0))
        return reply
    }

    /// `FUSE_NOTIFY_STORE`, `struct fuse_notify_store_out`: all bytes of a file in a layer's stream, for the
    /// kernel to keep; nil when it is no such file.
    static func stored(_ node: NodeID, size: Int, from union: Union) throws(Errno) -> WireReply? {
        var reply = WireReply(to: 0)
        reply.bytes.replaceSubrange(4..<8, with: bytes(of: Int32(4)))
        reply.append(node.rawValue)
        reply.append(UInt64(0))
        reply.append(UInt32(truncatingIfNeeded: size))
        reply.append(UInt32(0))
        let start = reply.bytes.count
        reply.appendZeros(size)
        var content = reply.bytes.mutableSpan
        let count = try unsafe content.withUnsafeMutableBytes { (bytes) throws(Errno) -> Int? in
            // SAFETY: the reply's own bytes behind the header.
            try unsafe union.readLayers(
                node, into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), at: 0)
        }
        return count == size ? reply : nil
    }

    /// `FUSE_NOTIFY_INVAL_ENTRY` with `FUSE_EXPIRE_ONLY`: the name is looked up before it is used again.
    static func nameExpired(_ name: NodeName) -> WireReply { nameChanged(name, flags: 1) }

    /// `FUSE_NOTIFY_INVAL_ENTRY`: the kernel lets go of the name and of all beneath it that nobody uses.
    static func nameGone(_ name: NodeName) -> WireReply { nameChanged(name, flags: 0) }

    private static func nameChanged(_ name: NodeName, flags: UInt32) -> WireReply {
        var reply = WireReply(to: 0)
        reply.bytes.replaceSubrange(4..<8, with: bytes(of: Int32(3)))
        reply.append(name.parent.rawValue)
        reply.append(UInt32(name.name.count))
        reply.append(flags)
        reply.bytes += name.name.bytes
        reply.append(UInt8(0))
        return reply
    }

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        // SAFETY: the value's own bytes, copied at once.
        unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func append(_ value: [UInt8]) {
        bytes += value
    }

    mutating func appendZeros(_ count: Int) {
        bytes += repeatElement(0, count: count)
    }

    private static func bytes<Value: FixedWidthInteger>(of value: Value) -> [UInt8] {
        // The protocol is in the machine's byte order.
        // SAFETY: the value's own bytes, copied at once.
        unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
    }

    /// Sends to the device that the request came from.
    consuming func send(to device: Int32) {
        bytes.replaceSubrange(0..<4, with: Self.bytes(of: UInt32(bytes.count)))
        // SAFETY: the array is alive during the call.
        unsafe bytes.raw.withUnsafeBytes { buffer in
            if let base = buffer.baseAddress { unsafe WireDevice.write(device, base, buffer.count) }
        }
    }
}

extension WireReply {
    /// `struct fuse_entry_out`; nil is node 0, by which the kernel remembers that there is no such name.
    /// - Parameter seconds: for how long the name counts; nil for what the node says.
    mutating func append(_ entry: Entry?, _ identities: Identities?, seconds: UInt64? = nil) {
        append(entry?.id.rawValue ?? 0)
        append(UInt64(0))  // generation
        append(seconds ?? UInt64(Reply.timeout(ofNameOf: entry)))
        append(UInt64(entry.map { Reply.timeout(of: $0.status) } ?? 0))
        append(UInt64(0))  // nanoseconds of both
        if let entry { append(entry.status, identities) } else { appendZeros(WireAnswer.attributesSize) }
    }

    /// `struct fuse_attr_out`.
    mutating func appendAttributes(_ status: FileStatus, _ identities: Identities?) {
        append(UInt64(Reply.timeout(of: status)))
        append(UInt64(0))  // nanoseconds, padding
        append(status, identities)
    }

    /// `struct fuse_attr`.
    private mutating func append(_ status: FileStatus, _ identities: Identities?) {
        append(status.inode)
        append(status.size)
        append(status.blocks)
        for time in [status.atime, status.mtime, status.ctime] { append(time.seconds) }
        for time in [status.atime, status.mtime, status.ctime] { append(time.nanoseconds) }
        append(status.mode)
        append(status.linkCount)
        append(identities?.shownUser(status.uid) ?? status.uid)
        append(identities?.shownGroup(status.gid) ?? status.gid)
        append(status.namedDevice.encoded)
        append(status.blockSize)
        append(UInt32(0))  // flags
    }

    /// `struct fuse_open_out`.
    mutating func appendOpened(handle: UInt64, flags: UInt32, backing: Int32 = 0) {
        append(handle)
        append(flags)
        append(backing)
    }

    /// `struct fuse_statx_out`; no birth time where the filesystem keeps none.
    mutating func appendStatx(_ status: FileStatus, birth: Timestamp?, _ identities: Identities?) {
        append(UInt64(Reply.timeout(of: status)))
        append(UInt64(0))  // nanoseconds and flags
        appendZeros(16)
        // STATX_BASIC_STATS and STATX_BTIME.
        append(UInt32(birth == nil ? 0x7FF : 0xFFF))
        append(status.blockSize)
        append(UInt64(0))  // attributes
        append(status.linkCount)
        append(identities?.shownUser(status.uid) ?? status.uid)
        append(identities?.shownGroup(status.gid) ?? status.gid)
        append(UInt16(truncatingIfNeeded: status.mode))
        append(UInt16(0))
        append(status.inode)
        append(status.size)
        append(status.blocks)
        append(UInt64(0))  // which attributes are known
        for time in [status.atime, birth ?? Timestamp(seconds: 0), status.ctime, status.mtime] {
            append(time.seconds)
            append(time.nanoseconds)
            append(UInt32(0))
        }
        append(status.namedDevice.major)
        append(status.namedDevice.minor)
        appendZeros(8 + 14 * 8)  // the filesystem's device, which the kernel knows; spare
    }
}
