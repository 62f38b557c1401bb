// Server owns the loop: read a request, answer it, never think. Before it sleeps it looks for the next request for a
// moment, as Lamina's does: waking a server costs more than most answers.

import Glibc
import LaminaCore
import LaminaSystem

/// A request as the loop needs it.
struct Request {
    var opcode: UInt32
    var unique: UInt64
    var node: UInt64
    /// Bytes of it all.
    var length: Int
}

/// Serves a mirrored tree. Node N of the mirror is the kernel's N + 1.
@safe
struct Server: ~Copyable {
    let mirror: Mirror
    var changes: Changes
    let options: Options
    private let connection: Int32
    private let forever: UInt64 = 1 << 30
    // SAFETY: allocated in init, freed in deinit; requests are read into all of it.
    private let buffer: UnsafeMutableRawPointer
    private let capacity = (1 << 20) + 8192

    init(_ mirror: consuming Mirror, _ changes: consuming Changes, connection: Int32, _ options: Options) {
        self.mirror = mirror
        self.changes = changes
        self.connection = connection
        self.options = options
        unsafe buffer = .allocate(byteCount: capacity, alignment: 4096)
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// Answers until the mount is gone.
    mutating func run() throws(FloorError) {
        var message = Message()
        while true {
            let length = receive()
            if length < 0 {
                if errno == ENODEV { return }
                guard errno == EINTR || errno == EAGAIN || errno == ENOENT else {
                    throw FloorError("reading a request: \(Errno(rawValue: errno))")
                }
                continue
            }
            guard length >= Size.requestHeader else { throw FloorError("a request without a header") }
            let request = Request(opcode: field(4), unique: field(8), node: field(16), length: length)
            message.position = Size.replyHeader
            var error: Int32 = 0
            do throws(Errno) {
                guard try answer(request, &message) else { continue }
            } catch let failure {
                error = failure.rawValue
                message.position = Size.replyHeader
            }
            // ENOENT: whoever asked is gone.
            if message.send(to: connection, unique: request.unique, error: error) < 0, errno != ENOENT {
                throw FloorError("answering request \(request.opcode): \(Errno(rawValue: errno))")
            }
        }
    }

    /// Reads a request; looks for it for 40 microseconds before it sleeps.
    private func receive() -> Int {
        let start = now()
        repeat {
            // SAFETY: the kernel writes within the buffer.
            let length = unsafe Glibc.read(connection, buffer, capacity)
            if length >= 0 || errno != EAGAIN { return length }
            sched_yield()
        } while now() - start < 40_000
        var waiting = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        // SAFETY: fills the local.
        _ = unsafe poll(&waiting, 1, -1)
        return unsafe Glibc.read(connection, buffer, capacity)
    }

    private func now() -> Int {
        var time = timespec()
        // SAFETY: fills the local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Puts the answer into `message`; false for requests that want none.
    private mutating func answer(_ request: Request, _ message: inout Message) throws(Errno) -> Bool {
        switch request.opcode {
        case Opcode.initialize: initialize(&message)
        case Opcode.lookup: try lookUp(request, &message)
        case Opcode.getAttributes: putAttributes(try status(request.node), request.node, &message)
        case Opcode.open where !options.isCached: try open(request, &message)
        case Opcode.openDirectory where !options.isCached: putOpened(0, &message)
        case Opcode.read: try read(request, &message)
        case Opcode.write: try write(request, &message)
        case Opcode.readDirectory: list(request, plus: false, &message)
        case Opcode.readDirectoryPlus: list(request, plus: true, &message)
        case Opcode.forget, Opcode.batchForget, Opcode.interrupt: return false
        case Opcode.release:
            let handle: UInt64 = field(40)
            if handle > 0 { close(Int32(truncatingIfNeeded: handle - 1)) }
        case Opcode.releaseDirectory, Opcode.destroy: break
        case Opcode.statFilesystem: message.putZeros(80)
        case Opcode.getExtendedAttribute: throw .noData
        case Opcode.create, Opcode.makeDirectory, Opcode.unlink, Opcode.removeDirectory, Opcode.rename,
            Opcode.rename2, Opcode.setAttributes, Opcode.sync:
            try change(request, &message)
        default: throw .noFunction
        }
        return true
    }

    /// A field of the request at a byte offset.
    func field<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Value {
        // SAFETY: all offsets used lie in the first 128 bytes of the buffer, which is initialised.
        unsafe buffer.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    /// Calls `body` with the name at a byte offset.
    func withName<Value>(_ offset: Int, _ body: (Span<UInt8>) -> Value) -> Value {
        // SAFETY: the kernel ends names with a NUL within the request.
        let name = unsafe (buffer + offset).assumingMemoryBound(to: UInt8.self)
        let count = unsafe strlen((buffer + offset).assumingMemoryBound(to: CChar.self))
        return unsafe body(Span(_unsafeStart: name, count: count))
    }

    /// Calls `body` with `count` bytes of the request.
    func withBytes<Value>(_ offset: Int, _ count: Int, _ body: (RawSpan) throws(Errno) -> Value) throws(Errno)
        -> Value
    {
        // SAFETY: the kernel sent so many.
        let bytes = unsafe UnsafeRawBufferPointer(start: buffer + offset, count: count)
        return try unsafe body(RawSpan(_unsafeBytes: bytes))
    }

    private func initialize(_ message: inout Message) {
        message.put(7 as UInt32)
        message.put(31 as UInt32)
        message.put(field(48) as UInt32)  // the kernel's own readahead
        var flags =
            InitFlag.asyncRead | InitFlag.bigWrites | InitFlag.readDirectoryPlus
            | InitFlag.parallelDirectoryOperations | InitFlag.maxPages
        if options.isCached { flags |= InitFlag.noOpenSupport | InitFlag.noOpenDirectorySupport }
        message.put(flags)
        message.put(64 as UInt16)
        message.put(48 as UInt16)
        message.put(UInt32(1 << 20))
        message.put(1 as UInt32)
        message.put(256 as UInt16)
        message.putZeros(Size.replyHeader + Size.initReply - message.position)
    }

    /// A name that is no node's gets a negative entry, which the kernel keeps too.
    private func lookUp(_ request: Request, _ message: inout Message) throws(Errno) {
        let found: UInt64? = withName(Size.requestHeader) { name in
            if request.node <= UInt64(mirror.nodes.count),
                let known = mirror.find(name, in: UInt32(request.node - 1))
            {
                return UInt64(known) + 1
            }
            if changes.isEmpty { return nil }
            return changes.node(Place(parent: request.node, name: name.indices.map { name[$0] }))
        }
        guard let found else { return putEntry(nil, 0, &message) }
        putEntry(try status(found), found, &message)
    }

    /// What is mirrored, or what the tree says of a node that was made or changed since.
    func status(_ node: UInt64) throws(Errno) -> FileStatus {
        if let path = changes.path(node) { return try changes.tree.status(of: path) }
        guard node > 0, node <= UInt64(mirror.nodes.count) else { throw .staleNFSFileHandle }
        return mirror.nodes[Int(node - 1)].status
    }

    /// Entries from the position asked for, until the answer is full.
    private func list(_ request: Request, plus: Bool, _ message: inout Message) {
        guard request.node <= UInt64(mirror.nodes.count) else { return }
        let children = mirror.nodes[Int(request.node - 1)].children
        let start: UInt64 = field(48)
        let limit = Size.replyHeader + min(Int(field(56) as UInt32), Message.capacity - Size.replyHeader)
        var position = start
        while position < UInt64(children.count) {
            let number = Int(children.lowerBound) + Int(position)
            let node = mirror.nodes[number]
            let padded = (node.name.count + 7) / 8 * 8
            let size = (plus ? Size.entry : 0) + Size.directoryEntry + padded
            guard message.position + size <= limit else { return }
            if plus {
                let isTold = options.listsFully || node.status.type == .directory
                if isTold {
                    putEntry(node.status, UInt64(number) + 1, &message)
                } else {
                    message.putZeros(Size.entry)
                }
            }
            message.put(UInt64(number) + 1)
            message.put(position + 1)
            message.put(UInt32(node.name.count))
            message.put(node.status.mode >> 12)
            for place in node.name { message.put(mirror.names[Int(place)]) }
            message.putZeros(padded - node.name.count)
            position += 1
        }
    }

    func putEntry(_ status: FileStatus?, _ node: UInt64, _ message: inout Message) {
        message.put(node)
        message.put(0 as UInt64)
        message.put(forever)
        message.put(forever)
        message.putZeros(8)
        put(status ?? FileStatus(), node, &message)
    }

    func putAttributes(_ status: FileStatus, _ node: UInt64, _ message: inout Message) {
        message.put(forever)
        message.putZeros(8)
        put(status, node, &message)
    }

    private func put(_ status: FileStatus, _ node: UInt64, _ message: inout Message) {
        message.put(node)
        message.put(UInt64(clamping: status.size))
        message.put(UInt64(clamping: status.blocks))
        for _ in 0..<3 { message.put(status.mtime.seconds) }
        for _ in 0..<3 { message.put(status.mtime.nanoseconds) }
        message.put(status.mode)
        message.put(status.linkCount)
        message.put(status.uid)
        message.put(status.gid)
        message.putZeros(4)
        message.put(4096 as UInt32)
        message.putZeros(4)
    }
}
