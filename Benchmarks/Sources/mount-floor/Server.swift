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
    let tree: Descriptor
    var mirror: Mirror
    var files = OpenFiles()
    var listing = Listing()
    let options: Options
    let connection: Int32
    /// Whether the kernel may be given files to read and write.
    private(set) var givesFiles = false
    // SAFETY: allocated in init, freed in deinit; requests are read into all of it.
    private let buffer: UnsafeMutableRawPointer
    private let capacity = (1 << 20) + 8192

    init(_ mirror: consuming Mirror, of tree: consuming Descriptor, connection: Int32, _ options: Options) {
        self.mirror = mirror
        self.tree = tree
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
        case Opcode.getAttributes:
            putAttributes(try status(try known(request.node)), &message)
        case Opcode.open where !options.isCached: try open(request, &message)
        case Opcode.openDirectory where !options.isCached: putOpened(0, &message)
        case Opcode.read: try read(request, &message)
        case Opcode.write: try write(request, &message)
        case Opcode.readLink:
            message.put(try tree.readLink(try mirror.path(try known(request.node))).bytes)
        case Opcode.readDirectory: try list(request, plus: false, &message)
        case Opcode.readDirectoryPlus: try list(request, plus: true, &message)
        case Opcode.forget, Opcode.batchForget:
            forget(request)
            return false
        case Opcode.interrupt: return false
        case Opcode.release: files.close(field(40), on: connection)
        case Opcode.releaseDirectory, Opcode.destroy: break
        case Opcode.statFilesystem: try putFilesystem(&message)
        case Opcode.getExtendedAttribute: throw .noData
        case Opcode.listExtendedAttributes: if field(40) as UInt32 == 0 { message.putZeros(8) }
        case Opcode.sync, Opcode.syncDirectory: try sync(request)
        default: try change(request, &message)
        }
        return true
    }

    /// A field of the request at a byte offset.
    func field<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Value {
        precondition(offset <= capacity - 8)
        // SAFETY: within the buffer, all of which is initialised.
        return unsafe buffer.loadUnaligned(fromByteOffset: offset, as: Value.self)
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

    private mutating func initialize(_ message: inout Message) {
        let offered: UInt32 = field(52)
        let offeredSecond: UInt32 = offered & InitFlag.extended != 0 ? field(56) : 0
        givesFiles = !options.isCached && offeredSecond & InitFlag.passthrough != 0
        message.put(7 as UInt32)
        message.put(31 as UInt32)
        message.put(field(48) as UInt32)  // the kernel's own readahead
        var flags =
            InitFlag.asyncRead | InitFlag.bigWrites | InitFlag.readDirectoryPlus
            | InitFlag.parallelDirectoryOperations | InitFlag.maxPages | InitFlag.cacheSymlinks
            | InitFlag.handleKillPrivileges
        flags |=
            options.isCached
            ? InitFlag.noOpenSupport | InitFlag.noOpenDirectorySupport : InitFlag.truncatingOpen
        if givesFiles { flags |= InitFlag.extended }
        message.put(flags)
        message.put(64 as UInt16)
        message.put(48 as UInt16)
        message.put(UInt32(1 << 20))
        message.put(1 as UInt32)
        message.put(256 as UInt16)
        message.put(0 as UInt16)
        message.put(givesFiles ? InitFlag.passthrough : 0)
        // How many filesystems may stand on each other.
        message.put(givesFiles ? 1 : 0 as UInt32)
        message.putZeros(Size.replyHeader + Size.initReply - message.position)
    }
}
