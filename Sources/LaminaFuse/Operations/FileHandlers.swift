// Requests about open files and their bytes. OPEN and CREATE are answered raw (`OpenRequests`).

import CFuse3
import Glibc
import LaminaCore
import LaminaUnion

/// Bytes that one request may move; the kernel asks for at most 1 MiB.
private let largestTransfer = 16 << 20

extension fuse_lowlevel_ops {
    mutating func setCloseHandlers() {
        unsafe release = { request, id, info in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                server.closeFile(try unsafe fileInfo(info).fh, of: NodeID(rawValue: id))
            }
        }
    }

    mutating func setDataHandlers() {
        unsafe read = { request, id, size, offset, info in
            // SAFETY: allocated here, freed after libfuse has copied the bytes out.
            let buffer = UnsafeMutableRawBufferPointer.allocate(
                byteCount: min(size, largestTransfer), alignment: 16)
            defer { unsafe buffer.deallocate() }
            unsafe answer(
                request,
                with: { reply, count in
                    unsafe reply.data(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            ) { (server) throws(Errno) in
                let file = try server.file(try unsafe fileInfo(info).fh, of: id)
                return try unsafe file.read(into: buffer, at: UInt64(clamping: offset))
            }
        }
        unsafe write = { request, id, bytes, size, offset, info in
            unsafe answer(request, with: { reply, count in reply.written(count) }) { (server) throws(Errno) in
                let info = try unsafe fileInfo(info)
                let file = try server.file(info.fh, of: id, writing: true)
                guard let bytes = unsafe bytes, offset >= 0 else { throw .invalidArgument }
                // SAFETY: libfuse hands over `size` bytes, valid until the reply.
                let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: size)
                try file.write(span, at: UInt64(offset), appending: info.flags & O_APPEND != 0)
                return size
            }
        }
        unsafe fsync = { request, id, dataOnly, info in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                try server.file(try unsafe fileInfo(info).fh, of: id).sync(dataOnly: dataOnly != 0)
            }
        }
    }

    mutating func setExtentHandlers() {
        unsafe fallocate = { request, id, mode, offset, length, info in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                guard offset >= 0, length > 0 else { throw .invalidArgument }
                try server.file(try unsafe fileInfo(info).fh, of: id, writing: true)
                    .allocate(mode: mode, offset: UInt64(offset), length: UInt64(length))
            }
        }
        unsafe lseek = { request, id, offset, whence, info in
            unsafe answer(request, with: { reply, offset in reply.offset(offset) }) {
                (server) throws(Errno) in
                guard offset >= 0 else { throw .noSuchAddressOrDevice }
                return try server.file(try unsafe fileInfo(info).fh, of: id)
                    .seek(to: UInt64(offset), whence: whence)
            }
        }
        unsafe copy_file_range = { request, source, from, input, destination, to, output, count, _ in
            unsafe answer(request, with: { reply, count in reply.written(count) }) { (server) throws(Errno) in
                guard from >= 0, to >= 0 else { throw .invalidArgument }
                let source = try server.file(try unsafe fileInfo(input).fh, of: source)
                let destination = try server.file(
                    try unsafe fileInfo(output).fh, of: destination, writing: true)
                return try source.copyRange(
                    from: UInt64(from), to: destination, at: UInt64(to), count: min(count, 1 << 30))
            }
        }
    }
}

/// A copy of the file information that came with a request.
@unsafe
func fileInfo(_ info: UnsafeMutablePointer<fuse_file_info>?) throws(Errno) -> fuse_file_info {
    guard let info = unsafe info else { throw .badFileDescriptor }
    // SAFETY: libfuse hands over a structure that is valid during the request.
    return unsafe info.pointee
}
