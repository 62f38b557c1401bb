// Server owns the loop: read a request, answer it, never think.

import Glibc

/// A request as the loop needs it.
struct Request {
    var opcode: UInt32
    var unique: UInt64
    var node: UInt64
}

/// Serves `count` files in one directory: the root is node 1, file N is node N + 2.
@safe
struct Server: ~Copyable {
    private let connection: Int32
    private let count: UInt64
    private let isCached: Bool
    private let forever: UInt64 = 1 << 30
    // SAFETY: allocated in init, freed in deinit; requests are read into all of it.
    private let buffer: UnsafeMutableRawPointer
    private let capacity = (1 << 17) + 8192

    init(connection: Int32, count: UInt64, isCached: Bool) {
        self.connection = connection
        self.count = count
        self.isCached = isCached
        unsafe buffer = .allocate(byteCount: capacity, alignment: 4096)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// Answers until the mount is gone.
    func run() throws(FloorError) {
        var message = Message()
        while true {
            // SAFETY: the kernel writes within the buffer.
            let length = unsafe read(connection, buffer, capacity)
            if length < 0 {
                if errno == ENODEV { return }
                guard errno == EINTR || errno == EAGAIN || errno == ENOENT else {
                    throw FloorError("reading a request: \(errorText())")
                }
                continue
            }
            guard length >= Size.requestHeader else { throw FloorError("a request without a header") }
            let request = Request(opcode: field(4), unique: field(8), node: field(16))
            guard let error = answer(request, length: length, &message) else { continue }
            if error != 0 { message.position = Size.replyHeader }
            // ENOENT: whoever asked is gone.
            if message.send(to: connection, unique: request.unique, error: error) < 0, errno != ENOENT {
                throw FloorError("answering request \(request.opcode): \(errorText())")
            }
        }
    }

    /// Puts the answer into `message`; the error to send, nil for requests that want no answer.
    private func answer(_ request: Request, length: Int, _ message: inout Message) -> Int32? {
        message.position = Size.replyHeader
        switch request.opcode {
        case Opcode.initialize: initialize(&message)
        case Opcode.lookup: lookUp(length: length, &message)
        case Opcode.getAttributes:
            message.put(forever)
            message.putZeros(8)
            putAttributes(request.node, &message)
        case Opcode.open, Opcode.openDirectory:
            if isCached { return ENOSYS }
            message.put(0 as UInt64)
            message.put(OpenFlag.keepCache | OpenFlag.cacheDirectory)
            message.put(0 as UInt32)
        case Opcode.read: message.putZeros(Int(min(Size.file, UInt64(field(56) as UInt32))))
        case Opcode.readDirectory: list(plus: false, &message)
        case Opcode.readDirectoryPlus: list(plus: true, &message)
        case Opcode.forget, Opcode.batchForget, Opcode.interrupt: return nil
        case Opcode.release, Opcode.releaseDirectory, Opcode.destroy: break
        default: return ENOSYS
        }
        return 0
    }

    /// A field of the request at a byte offset.
    private func field<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Value {
        // SAFETY: all offsets used lie in the first 64 bytes of the buffer, which is initialised.
        unsafe buffer.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    private func initialize(_ message: inout Message) {
        message.put(7 as UInt32)
        message.put(31 as UInt32)
        message.put(field(48) as UInt32)  // the kernel's own readahead
        var flags =
            InitFlag.asyncRead | InitFlag.readDirectoryPlus | InitFlag.parallelDirectoryOperations
            | InitFlag.maxPages
        if isCached { flags |= InitFlag.noOpenSupport | InitFlag.noOpenDirectorySupport }
        message.put(flags)
        message.put(64 as UInt16)
        message.put(48 as UInt16)
        message.put(UInt32(1 << 17))
        message.put(1 as UInt32)
        message.put(32 as UInt16)
        message.putZeros(Size.replyHeader + Size.initReply - message.position)
    }

    /// A name that is no file's gets a negative entry, which the kernel keeps too.
    private func lookUp(length: Int, _ message: inout Message) {
        var number: UInt64 = 0
        var isFile = (field(Size.requestHeader) as UInt8) == UInt8(ascii: "f")
        for offset in Size.requestHeader + 1..<max(length - 1, Size.requestHeader + 1) {
            let digit = field(offset) as UInt8
            isFile = isFile && (0x30...0x39).contains(digit)
            number = number &* 10 &+ UInt64(digit & 0x0F)
        }
        putEntry(isFile && number < count ? number + 2 : 0, &message)
    }

    private func putEntry(_ node: UInt64, _ message: inout Message) {
        message.put(node)
        message.put(0 as UInt64)
        message.put(forever)
        message.put(forever)
        message.putZeros(8)
        putAttributes(node, &message)
    }

    private func putAttributes(_ node: UInt64, _ message: inout Message) {
        let isDirectory = node == 1
        message.put(node)
        message.put(isDirectory ? 4096 : Size.file)
        message.put(8 as UInt64)
        message.putZeros(36)
        message.put(isDirectory ? S_IFDIR | 0o755 : S_IFREG | 0o644)
        message.put(isDirectory ? 2 : 1 as UInt32)
        message.putZeros(12)
        message.put(4096 as UInt32)
        message.putZeros(4)
    }

    /// Entries from the position asked for, until the answer is full.
    private func list(plus: Bool, _ message: inout Message) {
        let start: UInt64 = field(48)
        let limit = Size.replyHeader + min(Int(field(56) as UInt32), Message.capacity - Size.replyHeader)
        var number = start
        while number < count {
            let name = Array("f\(number)".utf8)
            let padded = (name.count + 7) / 8 * 8
            let size = (plus ? Size.entry : 0) + Size.directoryEntry + padded
            guard message.position + size <= limit else { return }
            if plus { putEntry(number + 2, &message) }
            message.put(number + 2)
            message.put(number + 1)
            message.put(UInt32(name.count))
            message.put(8 as UInt32)
            for byte in name { message.put(byte) }
            message.putZeros(padded - name.count)
            number += 1
        }
    }
}
