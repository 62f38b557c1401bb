// LowerTree owns the read-only half of a union: the chain image and the files that hold
// the layers' bytes. Nothing in it changes while the union lives.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

/// The merged layers of an image, as one read-only tree.
public final class LowerTree: Sendable {
    let tree: Tree
    /// The `stream` file of each layer, in the order of the image's device table.
    let streams: [SharedDescriptor]
    private let objects: SharedDescriptor
    /// Whether the kernel refuses to open objects for writing, whoever asks.
    public let objectsAreReadOnly: Bool
    private let verification: ObjectVerification?

    /// - Parameters:
    ///   - tree: the chain image.
    ///   - streams: one `stream` file for each of `tree.devices`, in their order.
    ///   - objects: the store's `objects` directory.
    ///   - objectsAreReadOnly: whether `objects` lies on a mount that refuses writing. Only then may the
    ///     kernel be handed an object.
    ///   - verification: compares objects with their names when they are first opened; nil trusts them.
    /// - Throws: `EINVAL` when streams and devices do not match in number.
    public init(
        tree: consuming Tree, streams: [SharedDescriptor], objects: SharedDescriptor,
        objectsAreReadOnly: Bool = false, verification: ObjectVerification? = nil
    ) throws(Errno) {
        guard tree.devices.count == streams.count else { throw .invalidArgument }
        self.tree = tree
        self.streams = streams
        self.objects = objects
        self.objectsAreReadOnly = objectsAreReadOnly
        self.verification = verification
    }

    /// Whether the store is itself on a filesystem that stands on others.
    public var isStacked: Bool { Self.isStacked(objects.descriptor) }

    /// Overlayfs, FUSE and eCryptfs count how many filesystems stand on each other.
    static func isStacked(_ directory: borrowing Descriptor) -> Bool {
        let types: [UInt64] = [0x794C_7630, 0x6573_5546, 0xF15F]
        guard let type = try? directory.filesystemType() else { return true }
        return types.contains(type)
    }

    /// The node called `name` in `directory`; nil when there is none. O(log entries), without
    /// lock or allocation.
    func lookup(_ name: Span<UInt8>, in directory: UInt64) throws(Errno) -> UInt64? {
        do {
            return try tree.lookup(name, in: directory)
        } catch {
            throw .ioError
        }
    }

    func lookup(_ name: ByteString, in directory: UInt64) throws(Errno) -> UInt64? {
        try name.withSpan { (span) throws(Errno) in try lookup(span, in: directory) }
    }

    func node(_ nid: UInt64) throws(Errno) -> TreeNode {
        do {
            return try tree.node(nid)
        } catch {
            throw .ioError
        }
    }

    /// What stat shows of a node that was not copied up.
    func status(_ nid: UInt64) throws(Errno) -> FileStatus { status(try node(nid)) }

    @inline(__always)
    func status(_ node: TreeNode) -> FileStatus {
        var status = FileStatus()
        status.inode = node.nid
        status.mode = node.mode
        status.linkCount = node.linkCount
        status.uid = node.uid
        status.gid = node.gid
        status.namedDevice = node.device
        status.size = Int64(clamping: node.size)
        status.blocks = Int64(clamping: node.size / 512 &+ (node.size % 512 == 0 ? 0 : 1))
        status.blockSize = 4096
        status.atime = node.mtime
        status.mtime = node.mtime
        status.ctime = node.mtime
        return status
    }

    func symlinkTarget(_ nid: UInt64) throws(Errno) -> ByteString {
        do {
            return try tree.symlinkTarget(nid)
        } catch {
            throw .ioError
        }
    }

    /// All xattrs of a node but ACLs that no kernel would take, which a layer may hold.
    func extendedAttributes(_ nid: UInt64) throws(Errno) -> [ExtendedAttribute] {
        do {
            return try tree.extendedAttributes(nid).filter { Self.isUsable($0.name, $0.value) }
        } catch {
            throw .ioError
        }
    }

    private static func isUsable(_ name: ByteString, _ value: [UInt8]) -> Bool {
        guard name == AccessControlList.accessName || name == AccessControlList.defaultName else {
            return true
        }
        return AccessControlList(value) != nil
    }

    func extendedAttribute(_ nid: UInt64, _ name: ByteString) throws(Errno) -> [UInt8]? {
        let value: [UInt8]?
        do {
            value = try name.withSpan { (span) throws(IndexError) in
                try tree.extendedAttribute(nid, span)
            }
        } catch {
            throw .ioError
        }
        guard let value, Self.isUsable(name, value) else { return nil }
        return value
    }

    private func content(_ nid: UInt64) throws(Errno) -> TreeContent {
        do {
            return try tree.content(nid)
        } catch {
            throw .ioError
        }
    }

    /// The bytes of a regular file that are in a stream, which is open already; nil for an object.
    func contentInStream(_ nid: UInt64) throws(Errno) -> LowerContent? {
        if case .object = try content(nid) { return nil }
        return try openContent(nid)
    }

    /// Opens the bytes of a regular file. An object costs one open, a stream none.
    func openContent(_ nid: UInt64) throws(Errno) -> LowerContent {
        switch try content(nid) {
        case .empty:
            return LowerContent(file: objects, offset: 0, length: 0)
        case .stream(let device, let offset, let length):
            guard streams.indices.contains(device) else { throw .ioError }
            return LowerContent(file: streams[device], offset: offset, length: length)
        case .object(let digest, let length):
            let hex = ByteString(digest.hex)
            let path = ByteString(hex.bytes.prefix(2)).appending(hex.dropFirst(2))
            let file = try objects.descriptor.open(path, O_RDONLY | O_NOFOLLOW)
            try verification?.check(file, digest, of: nid)
            return LowerContent(file: SharedDescriptor(file), offset: 0, length: length, isObject: true)
        }
    }

    /// All entries of a directory but `.` and `..`.
    func entries(of directory: UInt64) throws(Errno) -> [LowerEntry] {
        var result: [LowerEntry] = []
        try forEachEntry(of: directory, from: 0) { name, nid, type, _ in
            let name = ByteString(name)
            if name != "." && name != ".." {
                result.append(LowerEntry(name: name, nid: nid, type: type))
            }
            return true
        }
        return result
    }

    /// Calls `body` for each entry behind position `cookie`, `.` and `..` too, until it
    /// answers false.
    func forEachEntry(
        of directory: UInt64, from cookie: UInt64,
        _ body: (_ name: Span<UInt8>, _ nid: UInt64, _ type: FileType?, _ next: UInt64) -> Bool
    ) throws(Errno) {
        do {
            try tree.forEachEntry(of: directory, from: cookie, body)
        } catch {
            throw .ioError
        }
    }
}

/// One entry of a lower directory.
struct LowerEntry {
    var name: ByteString
    var nid: UInt64
    var type: FileType?
}

/// The bytes of a lower file: a part of a stream or a whole object.
struct LowerContent: Sendable {
    let file: SharedDescriptor
    let offset: UInt64
    let length: UInt64
    /// Whether the file holds these bytes alone.
    var isObject = false

    /// Reads up to `buffer.count` bytes at `position` of the file; 0 at its end.
    @unsafe
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: UInt64) throws(Errno) -> Int {
        guard position < length else { return 0 }
        let count = Int(clamping: min(length &- position, UInt64(buffer.count)))
        let (start, overflow) = offset.addingReportingOverflow(position)
        guard !overflow, let start = Int64(exactly: start) else { throw .ioError }
        // SAFETY: the slice lies within the caller's buffer.
        return try unsafe file.descriptor.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: start)
    }
}
