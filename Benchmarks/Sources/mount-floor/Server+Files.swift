// Files: the kernel reads and writes large ones and those open for writing itself, where it may; the rest is a pread or
// pwrite of the tree's file.

import Glibc
import LaminaCore
import LaminaSystem

extension Server {
    /// Files of this size are worth a number of the kernel's.
    private var large: Int64 { 64 << 10 }

    func putOpened(_ handle: UInt64, keepsPages: Bool = true, _ message: inout Message) {
        message.put(handle)
        message.put(OpenAnswer.noFlush | OpenAnswer.cacheDirectory | (keepsPages ? OpenAnswer.keepCache : 0))
        message.put(0 as UInt32)
    }

    func openFile(_ node: UInt32, _ flags: Int32) throws(Errno) -> OpenFile {
        let writes = flags & O_ACCMODE != O_RDONLY
        let file = try tree.open(
            try mirror.path(node), flags | O_NOFOLLOW | (writes ? 0 : OpenFlag.noAccessTime))
        return OpenFile(file, node, isWritable: writes)
    }

    mutating func open(_ request: Request, _ message: inout Message) throws(Errno) {
        let node = try known(request.node)
        let flags = Int32(bitPattern: field(40) as UInt32) & (O_ACCMODE | O_TRUNC)
        let file = try openFile(node, flags)
        if file.isWritable || flags & O_TRUNC != 0 { mirror.nodes[Int(node)].isChanged = true }
        let size = file.isWritable ? large : try status(node, file).size
        admit(file, isGiven: size >= large, &message)
    }

    private func status(_ node: UInt32, _ file: OpenFile) throws(Errno) -> FileStatus {
        mirror.nodes[Int(node)].isChanged ? try file.file.status() : mirror.nodes[Int(node)].status
    }

    /// Takes a file in and puts what the kernel is told of it.
    mutating func admit(_ file: OpenFile, isGiven: Bool, _ message: inout Message) {
        let (handle, backing) = files.open(file, givenTo: givesFiles && isGiven ? connection : nil)
        guard backing > 0 else {
            let isStale = mirror.nodes[Int(file.node)].hasStalePages
            mirror.nodes[Int(file.node)].hasStalePages = false
            return putOpened(handle, keepsPages: !isStale, &message)
        }
        if file.isWritable { mirror.nodes[Int(file.node)].hasStalePages = true }
        message.put(handle)
        message.put(OpenAnswer.passthrough | OpenAnswer.noFlush)
        message.put(backing)
    }

    /// The file of a request's handle, or one that is kept where nobody was asked to open it.
    mutating func opened(_ handle: UInt64, _ node: UInt32, writes: Bool) throws(Errno) -> OpenFile {
        if let file = files[handle] { return file }
        if let file = files.held(node), file.isWritable || !writes { return file }
        let file = try openFile(node, writes ? O_RDWR : O_RDONLY)
        files.hold(file)
        return file
    }

    mutating func read(_ request: Request, _ message: inout Message) throws(Errno) {
        let file = try opened(field(40), try known(request.node), writes: false)
        try message.put(Int(field(56) as UInt32), of: file.file, at: field(48))
    }

    /// `struct fuse_write_in`, 40 bytes.
    mutating func write(_ request: Request, _ message: inout Message) throws(Errno) {
        let node = try known(request.node)
        let file = try opened(field(40), node, writes: true)
        let size: UInt32 = field(56)
        let offset: Int64 = field(48)
        guard request.length >= 80 + Int(size) else { throw .invalidArgument }
        try withBytes(80, Int(size)) { (bytes) throws(Errno) in try file.file.writeAll(bytes, at: offset) }
        mirror.nodes[Int(node)].isChanged = true
        message.put(size)
        message.put(0 as UInt32)
    }

    mutating func sync(_ request: Request) throws(Errno) {
        let node = try known(request.node)
        if request.opcode == Opcode.syncDirectory {
            try tree.openDirectory(try mirror.path(node)).sync()
        } else {
            let file = try opened(field(40), node, writes: false)
            let flags: UInt32 = field(48)
            try flags & 1 != 0 ? file.file.syncData() : file.file.sync()
        }
    }
}
