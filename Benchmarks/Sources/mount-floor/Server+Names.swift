// Names and attributes, from memory where the tree has not been changed.

import Glibc
import LaminaCore
import LaminaSystem

extension Server {
    private var forever: UInt64 { 1 << 30 }

    /// The mirror's number of one of the kernel's nodes.
    func known(_ node: UInt64) throws(Errno) -> UInt32 {
        guard node > 0, node <= UInt64(mirror.nodes.count) else { throw .staleNFSFileHandle }
        return UInt32(node - 1)
    }

    /// A name that is no node's gets a negative entry, which the kernel keeps too.
    func lookUp(_ request: Request, _ message: inout Message) throws(Errno) {
        let parent = try known(request.node)
        let found = withName(Size.requestHeader) { name in mirror.find(name, in: parent) }
        guard let found else { return putEntry(nil, 0, &message) }
        let node = mirror.nodes[Int(found)].node
        putEntry(try status(node), node, &message)
    }

    /// What is mirrored, or what the tree says of a node that was made or changed since.
    func status(_ node: UInt32) throws(Errno) -> FileStatus {
        guard mirror.nodes[Int(node)].isChanged else { return mirror.nodes[Int(node)].status }
        if let open = files.any(node) { return try open.file.status() }
        return try tree.status(of: try mirror.path(node))
    }

    mutating func forget(_ request: Request) {
        guard request.opcode == Opcode.batchForget else {
            return files.forget(UInt32(clamping: request.node - 1))
        }
        let count = min(Int(field(40) as UInt32), (request.length - 48) / 16)
        for index in 0..<max(count, 0) {
            let node: UInt64 = field(48 + index * 16)
            files.forget(UInt32(clamping: node &- 1))
        }
    }

    func putFilesystem(_ message: inout Message) throws(Errno) {
        let status = try tree.filesystemStatus()
        message.put(status.blocks)
        message.put(status.freeBlocks)
        message.put(status.availableBlocks)
        message.put(status.files)
        message.put(status.freeFiles)
        message.put(UInt32(clamping: status.blockSize))
        message.put(255 as UInt32)
        message.put(UInt32(clamping: status.fragmentSize))
        message.putZeros(28)
    }

    func putEntry(_ status: FileStatus?, _ node: UInt32, _ message: inout Message) {
        message.put(status == nil ? 0 : UInt64(node) + 1)
        message.put(0 as UInt64)
        message.put(forever)
        message.put(forever)
        message.putZeros(8)
        put(status ?? FileStatus(), &message)
    }

    func putAttributes(_ status: FileStatus, _ message: inout Message) {
        message.put(forever)
        message.putZeros(8)
        put(status, &message)
    }

    private func put(_ status: FileStatus, _ message: inout Message) {
        message.put(status.inode)
        message.put(UInt64(clamping: status.size))
        message.put(UInt64(clamping: status.blocks))
        message.put(status.atime.seconds)
        message.put(status.mtime.seconds)
        message.put(status.ctime.seconds)
        message.put(status.atime.nanoseconds)
        message.put(status.mtime.nanoseconds)
        message.put(status.ctime.nanoseconds)
        message.put(status.mode)
        message.put(status.linkCount)
        message.put(status.uid)
        message.put(status.gid)
        let device = status.namedDevice
        message.put(device.minor & 0xFF | device.major << 8 | (device.minor & ~0xFF) << 12)
        message.put(4096 as UInt32)
        message.putZeros(4)
    }
}
