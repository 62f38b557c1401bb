// Message owns the buffer in which answers to the kernel are written.

import Glibc
import LaminaCore
import LaminaSystem

/// A message to the kernel, written field by field at offsets of a buffer that is made once.
@safe
struct Message: ~Copyable {
    // SAFETY: allocated in init and freed in deinit; every field lies below `capacity`.
    private let bytes: UnsafeMutableRawPointer
    static let capacity = (1 << 20) + 16
    /// Where the next field goes.
    var position = Size.replyHeader

    init() {
        unsafe bytes = .allocate(byteCount: Self.capacity, alignment: 8)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: Self.capacity)
    }

    deinit {
        unsafe bytes.deallocate()
    }

    /// What is left behind `position`.
    var room: Int { Self.capacity - position }

    mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        precondition(room >= MemoryLayout<Value>.size)
        unsafe bytes.storeBytes(of: value, toByteOffset: position, as: Value.self)
        position += MemoryLayout<Value>.size
    }

    mutating func put(_ text: some Sequence<UInt8>) {
        for byte in text { put(byte) }
    }

    mutating func putZeros(_ count: Int) {
        precondition(count <= room)
        unsafe (bytes + position).initializeMemory(as: UInt8.self, repeating: 0, count: count)
        position += count
    }

    /// Puts what one pread(2) gives.
    mutating func put(_ count: Int, of file: borrowing Descriptor, at offset: Int64) throws(Errno) {
        // SAFETY: the space lies within the buffer.
        let space = unsafe UnsafeMutableRawBufferPointer(start: bytes + position, count: min(count, room))
        position += try unsafe file.read(into: space, at: offset)
    }

    /// Writes the header and sends everything before `position`; returns what write(2) does.
    mutating func send(to connection: Int32, unique: UInt64, error: Int32 = 0) -> Int {
        let length = position
        position = 0
        put(UInt32(length))
        put(-error)
        put(unique)
        position = Size.replyHeader
        return unsafe Glibc.write(connection, bytes, length)
    }
}
