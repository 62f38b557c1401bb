// Reading, writing and making durable, on an owned descriptor.

import CLinux
import Glibc
import LaminaCore

extension Descriptor {
    /// Reads at the file position; 0 at its end. May give fewer bytes than asked for.
    @unsafe
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let raw = rawValue
        // SAFETY: the kernel writes at most `count` bytes into the caller's buffer.
        return try checked { unsafe Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }

    /// Reads at `offset`; 0 at the end of the file.
    @unsafe
    public borrowing func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let raw = rawValue
        // SAFETY: the kernel writes at most `count` bytes into the caller's buffer.
        return try checked { unsafe pread(raw, buffer.baseAddress, buffer.count, Int(offset)) }
    }

    /// Up to `count` bytes at `offset`; fewer only at the end of the file.
    public borrowing func readBytes(at offset: Int64, count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(count, 0))
        var filled = 0
        while filled < bytes.count {
            let start = filled
            var space = bytes.mutableSpan
            let got = try unsafe space.withUnsafeMutableBytes { (buffer) throws(Errno) in
                // SAFETY: the slice lies within the array's storage.
                try unsafe read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]), at: offset + Int64(start)
                )
            }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// The whole file, if it has at most `limit` bytes; `EFBIG` otherwise. Memory: twice the file, whatever the
    /// limit; the size is no guide, because files of the kernel's own say 0.
    public borrowing func readAll(limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = 16_384
        while bytes.count <= limit {
            let next = try readBytes(at: Int64(bytes.count), count: min(piece, limit &- bytes.count &+ 1))
            if next.isEmpty { return bytes }
            bytes += next
            piece = min(piece * 2, 1 << 24)
        }
        throw .fileTooLarge
    }

    /// Writes all bytes at the file position.
    public borrowing func writeAll(_ bytes: RawSpan) throws(Errno) {
        try FaultInjection.check(.write)
        let raw = rawValue
        // SAFETY: the span's memory is alive during the closure, and only read.
        try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let written = try checked { unsafe Glibc.write(raw, piece.baseAddress, piece.count) }
                if written == 0 { throw .ioError }
                unsafe rest = rest.dropFirst(written)
            }
        }
    }

    /// Writes all bytes at the file position.
    public borrowing func writeAll(_ bytes: [UInt8]) throws(Errno) {
        try writeAll(bytes.raw)
    }

    /// Writes all bytes at `offset`.
    public borrowing func writeAll(_ bytes: RawSpan, at offset: Int64) throws(Errno) {
        try FaultInjection.check(.write)
        let raw = rawValue
        // SAFETY: the span's memory is alive during the closure, and only read.
        try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) in
            var done = 0
            while done < buffer.count {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                let position = offset + Int64(done)
                let written = try checked {
                    unsafe pwrite(raw, piece.baseAddress, piece.count, Int(position))
                }
                if written == 0 { throw .ioError }
                done += written
            }
        }
    }

    /// Writes all bytes at the end, wherever somebody else moved it meanwhile.
    public borrowing func append(_ bytes: RawSpan) throws(Errno) {
        try FaultInjection.check(.write)
        let raw = rawValue
        // SAFETY: the span's memory is alive during the closure, and only read.
        try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let written = try checked { unsafe clinux_append(raw, piece.baseAddress, piece.count) }
                if written == 0 { throw .ioError }
                unsafe rest = rest.dropFirst(written)
            }
        }
    }

    /// Makes data and metadata durable.
    public borrowing func sync() throws(Errno) {
        try FaultInjection.check(.sync)
        let raw = rawValue
        try checked { fsync(raw) }
    }

    /// Makes data durable, and the metadata needed to read it.
    public borrowing func syncData() throws(Errno) {
        try FaultInjection.check(.sync)
        let raw = rawValue
        try checked { fdatasync(raw) }
    }

    /// Makes everything on this file's filesystem durable.
    public borrowing func syncFilesystem() throws(Errno) {
        try FaultInjection.check(.sync)
        let raw = rawValue
        try checked { clinux_syncfs(raw) }
    }

    /// Lets the disk start on the dirty pages of a range, so that a later sync finds less to
    /// do. Says nothing about durability; a filesystem that cannot is none the worse.
    public borrowing func startWriteback(_ range: Range<Int64>) {
        _ = clinux_start_writeback(rawValue, range.lowerBound, range.upperBound - range.lowerBound)
    }

    /// Sets the size in bytes.
    public borrowing func truncate(to size: Int64) throws(Errno) {
        try FaultInjection.check(.write)
        let raw = rawValue
        try checked { ftruncate(raw, Int(size)) }
    }

    /// Moves the file position; returns the new one. `SEEK_DATA` and `SEEK_HOLE` too.
    @discardableResult
    public borrowing func seek(to offset: Int64, whence: Int32 = SEEK_SET) throws(Errno) -> Int64 {
        let raw = rawValue
        return Int64(try checked { lseek(raw, Int(offset), whence) })
    }

    /// `fallocate(2)` with its own mode bits.
    public borrowing func allocate(mode: Int32, offset: Int64, length: Int64) throws(Errno) {
        try FaultInjection.check(.write)
        let raw = rawValue
        try checked { clinux_fallocate(raw, mode, offset, length) }
    }

    /// Makes this file share all blocks of `source` (`FICLONE`); `EOPNOTSUPP`, `EXDEV` or
    /// `EINVAL` where the filesystem cannot.
    public borrowing func clone(from source: borrowing Descriptor) throws(Errno) {
        try FaultInjection.check(.write)
        let destination = rawValue
        let origin = source.rawValue
        try checked { clinux_ficlone(destination, origin) }
    }

    /// Copies up to `count` bytes inside the kernel; returns how many, 0 at the end.
    public borrowing func copyRange(
        from source: borrowing Descriptor, sourceOffset: Int64, to offset: Int64, count: Int
    ) throws(Errno) -> Int {
        try FaultInjection.check(.write)
        let destination = rawValue
        let origin = source.rawValue
        return try checked { clinux_copy_file_range(origin, sourceOffset, destination, offset, count) }
    }
}
