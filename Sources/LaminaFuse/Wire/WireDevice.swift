// WireDevice owns every read and write of /dev/fuse: requests come in at one place, and answers,
// libfuse's and ours, go out at two.

import CFuse3
import Glibc
import LaminaCore

enum WireDevice {
    /// The next request: its length, or -1 with `errno`.
    @unsafe
    @inline(__always)
    static func read(_ device: Int32, _ buffer: UnsafeMutableRawPointer, _ size: Int) -> Int {
        unsafe Glibc.read(device, buffer, size)
    }

    /// Sends an answer of ours. An error is an interrupted request's or the end of the mount,
    /// which the next read tells.
    @unsafe
    @inline(__always)
    static func write(_ device: Int32, _ bytes: UnsafeRawPointer, _ count: Int) {
        _ = unsafe Glibc.write(device, bytes, count)
    }

    /// Sends an answer of libfuse's.
    @unsafe
    @inline(__always)
    static func write(_ device: Int32, _ parts: UnsafeMutablePointer<iovec>?, _ count: Int32) -> Int {
        unsafe writev(device, parts, count)
    }
}

extension fuse_custom_io {
    /// libfuse's way to the device. Requests come from `RequestLoop`, which never asks libfuse for one.
    static var lamina: fuse_custom_io {
        var io = fuse_custom_io()
        unsafe io.read = { _, _, _, _ in
            errno = ENOTSUP
            return -1
        }
        unsafe io.writev = { device, parts, count, server in
            unsafe send(device, parts, count, server)
        }
        return io
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

/// Sends an answer of libfuse's, the first one with our capabilities added.
@unsafe
private func send(
    _ device: Int32, _ parts: UnsafeMutablePointer<iovec>?, _ count: Int32, _ server: UnsafeMutableRawPointer?
) -> Int {
    // SAFETY: parts and buffers are libfuse's, valid during the call.
    guard let parts = unsafe parts, let server = unsafe server else {
        return unsafe WireDevice.write(device, parts, count)
    }
    let answersInit = unsafe extendInit(parts, count, server)
    // libfuse may use the header again as soon as it is sent.
    let header = unsafe WireReplyHeader(parts, count)
    let result = unsafe WireDevice.write(device, parts, count)
    // SAFETY: the session keeps the server alive until its loop has ended.
    unsafe Unmanaged<Server>.fromOpaque(server)._withUnsafeGuaranteedRef { server in
        if let header { server.answered(size: header.size, error: header.error) }
    }
    if answersInit {
        // The kernel made the root's inode before it knew that ACLs are served, and would never
        // cache them there: a request for each path that anybody but its owner walks.
        WireReply.attributesChanged(of: .root).send(to: device)
    }
    return result
}

/// What counts of `struct fuse_out_header`.
private struct WireReplyHeader {
    let size: Int
    let error: Int32

    /// Nil for a notification, which answers no request.
    @unsafe
    @inline(__always)
    init?(_ parts: UnsafePointer<iovec>, _ count: Int32) {
        guard count >= 1, unsafe parts[0].iov_len >= 16, let header = unsafe parts[0].iov_base else {
            return nil
        }
        // SAFETY: length, error and number of the request, within the 16 bytes just checked.
        guard unsafe header.loadUnaligned(fromByteOffset: 8, as: UInt64.self) != 0 else { return nil }
        size = Int(unsafe header.loadUnaligned(as: UInt32.self))
        error = unsafe header.loadUnaligned(fromByteOffset: 4, as: Int32.self)
    }
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
