// Wire holds what the floor needs of the kernel's protocol, linux/fuse.h: opcodes, flags, sizes and offsets in bytes.

import Glibc

enum Opcode {
    static let lookup: UInt32 = 1
    static let forget: UInt32 = 2
    static let getAttributes: UInt32 = 3
    static let setAttributes: UInt32 = 4
    static let makeDirectory: UInt32 = 9
    static let unlink: UInt32 = 10
    static let removeDirectory: UInt32 = 11
    static let rename: UInt32 = 12
    static let open: UInt32 = 14
    static let read: UInt32 = 15
    static let write: UInt32 = 16
    static let statFilesystem: UInt32 = 17
    static let release: UInt32 = 18
    static let sync: UInt32 = 20
    static let getExtendedAttribute: UInt32 = 22
    static let initialize: UInt32 = 26
    static let openDirectory: UInt32 = 27
    static let readDirectory: UInt32 = 28
    static let releaseDirectory: UInt32 = 29
    static let create: UInt32 = 35
    static let interrupt: UInt32 = 36
    static let destroy: UInt32 = 38
    static let batchForget: UInt32 = 42
    static let readDirectoryPlus: UInt32 = 44
    static let rename2: UInt32 = 45
}

enum InitFlag {
    static let asyncRead: UInt32 = 1 << 0
    static let readDirectoryPlus: UInt32 = 1 << 13
    static let bigWrites: UInt32 = 1 << 5
    static let noOpenSupport: UInt32 = 1 << 17
    static let parallelDirectoryOperations: UInt32 = 1 << 18
    static let maxPages: UInt32 = 1 << 22
    static let noOpenDirectorySupport: UInt32 = 1 << 24
}

enum OpenFlag {
    static let keepCache: UInt32 = 1 << 1
    static let cacheDirectory: UInt32 = 1 << 3
}

enum Size {
    static let requestHeader = 40
    static let replyHeader = 16
    static let initReply = 64
    static let entry = 128
    static let directoryEntry = 24
}

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

    mutating func putZeros(_ count: Int) {
        precondition(count <= room)
        unsafe (bytes + position).initializeMemory(as: UInt8.self, repeating: 0, count: count)
        position += count
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
