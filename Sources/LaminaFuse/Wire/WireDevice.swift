// WireDevice owns the two calls by which libfuse reaches /dev/fuse. Requests that libfuse
// 3.14 does not know are answered here, on the worker that read them; all others go on
// to libfuse as they came.

import CFuse3
import Glibc
import LaminaCore

extension fuse_custom_io {
    /// Reads and writes of libfuse's workers, each with its own descriptor of the device.
    static var lamina: fuse_custom_io {
        var io = fuse_custom_io()
        unsafe io.read = { device, buffer, size, server in
            unsafe receive(device, buffer, size, server)
        }
        unsafe io.writev = { device, parts, count, server in
            unsafe send(device, parts, count, server)
        }
        return io
    }
}

/// One request for libfuse; its length, or -1 with `errno`.
@unsafe
private func receive(
    _ device: Int32, _ buffer: UnsafeMutableRawPointer?, _ size: Int, _ server: UnsafeMutableRawPointer?
) -> Int {
    while true {
        // SAFETY: libfuse's buffer of `size` bytes.
        let count = unsafe read(device, buffer, size)
        guard count > 0, let buffer = unsafe buffer, let server = unsafe server else { return count }
        // SAFETY: the kernel just filled `count` bytes; libfuse owns the buffer.
        let request = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(buffer), byteCount: count)
        guard let header = try? WireHeader(request), header.isOurs else { return count }
        // libfuse ends workers by cancelling them; that must wait while one of our locks is held.
        var state: Int32 = 0
        // SAFETY: fills the local.
        _ = unsafe pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &state)
        // SAFETY: the session keeps the server alive until its loop has ended.
        let answered = unsafe Unmanaged<Server>.fromOpaque(server)._withUnsafeGuaranteedRef { server in
            server.answer(header, request.extracting(droppingFirst: WireHeader.size), device)
        }
        _ = pthread_setcancelstate(state, nil)
        if !answered { return count }
    }
}

/// Adds to `struct fuse_init_out` that the kernel may be given files to read and write by itself, on
/// filesystems that stand on fewer than `depth` others.
@unsafe
private func askForPassthrough(_ body: UnsafeMutableRawPointer, _ depth: UInt32) {
    // SAFETY: the caller checked that the structure has its second word of flags, at 32, and the depth.
    let flags = unsafe body.loadUnaligned(fromByteOffset: 12, as: UInt32.self) | WireSession.extendedInit
    let second = unsafe body.loadUnaligned(fromByteOffset: 32, as: UInt32.self) | WireSession.passthrough
    unsafe body.storeBytes(of: flags, toByteOffset: 12, as: UInt32.self)
    unsafe body.storeBytes(of: second, toByteOffset: 32, as: UInt32.self)
    unsafe body.storeBytes(of: depth, toByteOffset: 36, as: UInt32.self)
}

extension WireHeader {
    /// Whether `Server.answer` wants to see this request.
    @inline(__always)
    fileprivate var isOurs: Bool {
        switch opcode {
        case Opcode.tmpfile, Opcode.statx, Opcode.setxattr, Opcode.setattr, Opcode.open, Opcode.initialize,
            Opcode.create:
            true
        default: false
        }
    }
}

/// Sends an answer of libfuse's, the first one with our capabilities added.
@unsafe
private func send(
    _ device: Int32, _ parts: UnsafeMutablePointer<iovec>?, _ count: Int32, _ server: UnsafeMutableRawPointer?
) -> Int {
    // SAFETY: parts and buffers are libfuse's, valid during the call.
    guard let parts = unsafe parts, let server = unsafe server, unsafe extendInit(parts, count, server) else {
        return unsafe writev(device, parts, count)
    }
    let result = unsafe writev(device, parts, count)
    // The kernel made the root's inode before it knew that ACLs are served, and would never
    // cache them there: a request for each path that anybody but its owner walks.
    WireReply.attributesChanged(of: .root).send(to: device)
    return result
}

/// Adds our capabilities to the answer to INIT; false for any other answer.
@unsafe
private func extendInit(
    _ parts: UnsafeMutablePointer<iovec>, _ count: Int32, _ server: UnsafeMutableRawPointer
) -> Bool {
    guard count >= 2, unsafe parts[0].iov_len >= 16, let header = unsafe parts[0].iov_base else {
        return false
    }
    // SAFETY: libfuse's own header of 16 bytes: length, error, number of the request.
    let unique = unsafe header.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    // SAFETY: the session keeps the server alive until its loop has ended.
    return unsafe Unmanaged<Server>.fromOpaque(server)._withUnsafeGuaranteedRef { server in
        guard server.wire.isInitReply(unique: unique), unsafe parts[1].iov_len >= 16,
            let body = unsafe parts[1].iov_base
        else { return false }
        // SAFETY: `struct fuse_init_out` is a local of libfuse's, with its flags at 12.
        let flags = unsafe body.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
        unsafe body.storeBytes(of: server.wire.extend(flags), toByteOffset: 12, as: UInt32.self)
        if unsafe parts[1].iov_len >= 40, let depth = server.passthrough.begin(server.wire) {
            unsafe askForPassthrough(body, depth)
        }
        return true
    }
}
