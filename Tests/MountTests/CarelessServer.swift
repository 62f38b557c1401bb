// CarelessServer is a FUSE server of one file that hands a backing file to whoever opens it, for
// writing too: what Lamina never does, and what must do no harm even then.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// A mount that answers just enough to have `file` opened.
final class CarelessServer {
    let directory: TemporaryDirectory
    private let worker: Worker

    var file: ByteString { directory.path.appending("file") }

    /// Serves `backing`, a file of `size` bytes.
    init(_ backing: consuming Descriptor, size: Int64) throws {
        directory = try TemporaryDirectory()
        let device = try Descriptor.open("/dev/fuse", O_RDWR)
        let options = ByteString("fd=\(device.rawValue),rootmode=40000,user_id=0,group_id=0")
        // SAFETY: the strings are NUL-terminated and alive during the call.
        let result = unsafe directory.path.withCString { place in
            unsafe options.withCString { text in
                unsafe Glibc.mount("careless", place, "fuse.careless", UInt(MS_NODEV | MS_NOSUID), text)
            }
        }
        try #require(result == 0)
        let loop = Loop(device: SharedDescriptor(device), backing: SharedDescriptor(backing), size: size)
        worker = try Worker(loop) { loop in loop.run() }
    }

    deinit {
        // The worker reads ENODEV then, and ends.
        try? MountTable.unmount(directory.path, lazy: true)
    }
}

private struct Loop: Sendable {
    let device: SharedDescriptor
    let backing: SharedDescriptor
    let size: Int64

    func run() {
        while let request = try? device.descriptor.readRequest() {
            guard request.count >= 40 else { return }
            let opcode: UInt32 = request.word(at: 4)
            let unique: UInt64 = request.word(at: 8)
            guard let (error, body) = answer(opcode, request) else { continue }
            var reply = bytes(UInt32(16 + body.count)) + bytes(error) + bytes(unique)
            reply += body
            // SAFETY: the array is alive during the call.
            _ = unsafe write(device.descriptor.rawValue, reply, reply.count)
        }
    }

    /// Opcodes and structures of `include/uapi/linux/fuse.h`.
    private func answer(_ opcode: UInt32, _ request: [UInt8]) -> (Int32, [UInt8])? {
        switch opcode {
        case 26:  // INIT: version 7.31 and more, passthrough (bit 37), depth 1
            var body = bytes(UInt32(7)) + bytes(UInt32(40)) + bytes(UInt32(1 << 20)) + bytes(UInt32(1 << 30))
            body += bytes(UInt32(0)) + bytes(UInt32(65_536)) + bytes(UInt32(1)) + bytes(UInt32(0))
            return (0, body + bytes(UInt32(1 << 5)) + bytes(UInt32(1)) + [UInt8](repeating: 0, count: 24))
        case 1:  // LOOKUP
            let entry = bytes(UInt64(2)) + [UInt8](repeating: 0, count: 32)
            return (0, entry + attributes(2))
        case 3:  // GETATTR
            let node: UInt64 = request.word(at: 16)
            return (0, [UInt8](repeating: 0, count: 16) + attributes(node))
        case 14:  // OPEN, whatever the flags
            guard let number = try? FuseBacking.open(backing.descriptor, on: device.descriptor.rawValue)
            else {
                return (-EPERM, [])
            }
            return (0, bytes(UInt64(1)) + bytes(UInt32(1 << 7)) + bytes(number))
        case 18, 4, 25, 15: return (0, [])  // RELEASE, SETATTR, FLUSH
        case 2, 42, 36: return nil  // FORGET, BATCH_FORGET, INTERRUPT
        default: return (-ENOSYS, [])
        }
    }

    /// `struct fuse_attr`: the root, or the file.
    private func attributes(_ node: UInt64) -> [UInt8] {
        var result = bytes(node) + bytes(node == 1 ? Int64(0) : size)
        result += [UInt8](repeating: 0, count: 8 + 24 + 12)
        result += bytes(node == 1 ? UInt32(0o40755) : UInt32(0o100666)) + bytes(UInt32(1))
        return result + [UInt8](repeating: 0, count: 12) + bytes(UInt32(4096)) + bytes(UInt32(0))
    }
}

private func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    // SAFETY: the value's own bytes, copied at once.
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
}

extension [UInt8] {
    fileprivate func word<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Value {
        // SAFETY: the caller checked that the request has its header.
        unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }
}

extension Descriptor {
    fileprivate borrowing func readRequest() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        // SAFETY: the kernel writes within the local array.
        let count = unsafe Glibc.read(rawValue, &buffer, buffer.count)
        guard count > 0 else { throw Errno(rawValue: errno) }
        return Array(buffer[..<count])
    }
}
