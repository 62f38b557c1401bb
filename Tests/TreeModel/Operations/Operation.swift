// Operation is one step of a script: a system call, or an open with what it is for.

import Glibc
import LaminaCore
import LaminaSystem

/// A step. Paths are below the root of the tree, without a leading slash.
public enum Operation: Sendable, Hashable {
    /// Opens and closes again; makes the file with `O_CREAT`.
    case open(ByteString, flags: Int32, permissions: UInt32)
    case makeDirectory(ByteString, permissions: UInt32)
    case makeNode(ByteString, FileType, permissions: UInt32, DeviceNumber)
    case symlink(ByteString, target: ByteString)
    case link(ByteString, ByteString)
    case rename(ByteString, ByteString, flags: UInt32)
    case removeFile(ByteString)
    case removeDirectory(ByteString)
    case write(ByteString, offset: Int, count: Int, seed: UInt8)
    case append(ByteString, count: Int, seed: UInt8)
    case truncate(ByteString, size: Int)
    case setPermissions(ByteString, UInt32)
    case setOwner(ByteString, uid: UInt32, gid: UInt32)
    case setTime(ByteString, Timestamp)
    case setAttribute(ByteString, ByteString, [UInt8], flags: Int32)
    case removeAttribute(ByteString, ByteString)
    case attribute(ByteString, ByteString)
    case attributeNames(ByteString)
    case read(ByteString, offset: Int, count: Int)
    case readLink(ByteString)
    case status(ByteString)
    case list(ByteString)
    case filesystemStatus
    /// Opens a file and keeps it in a slot, of which there are few.
    case hold(slot: Int, ByteString, flags: Int32)
    case release(slot: Int)
    case held(slot: Int, HeldOperation)
}

/// What is done with a file that an earlier step opened; it may have no name any more.
public enum HeldOperation: Sendable, Hashable {
    case read(offset: Int, count: Int)
    case write(offset: Int, count: Int, seed: UInt8)
    case truncate(size: Int)
    case status
    case setPermissions(UInt32)
    case setOwner(uid: UInt32, gid: UInt32)
    case setTime(Timestamp)
    case setAttribute(ByteString, [UInt8])
    case attributeNames
    case sync
}

/// What a step answered.
public enum Answer: Sendable, Hashable {
    case done
    case failed(Errno)
    case bytes([UInt8])
    case text(ByteString)
    case names(Set<ByteString>)
    case entries([ByteString: FileType])
    case status(NodeStatus)
}

/// What stat shows, as far as a model can know it.
public struct NodeStatus: Sendable, Hashable {
    public var type: FileType
    public var permissions: UInt32
    public var uid: UInt32
    public var gid: UInt32
    public var device: DeviceNumber
    /// Bytes; 0 of a directory, whose size says nothing.
    public var size: Int
    /// Of a directory, what a model expects when nobody counts differently.
    public var links: Int
    public var time: ModificationTime
    /// The real tree's inode number, or the model's number of the node.
    public var identity: UInt64
}

/// What a model knows of a modification time.
public enum ModificationTime: Sendable, Hashable {
    case exactly(Timestamp)
    /// Set by the clock during the script.
    case recent
    /// One of the two.
    case either(Timestamp)

    /// Scripts set no time behind this one.
    static let firstRecent = Timestamp(seconds: 1_700_000_000)

    func matches(_ time: Timestamp) -> Bool {
        switch self {
        case .exactly(let expected): time == expected
        case .recent: time >= Self.firstRecent
        case .either(let expected): time == expected || time >= Self.firstRecent
        }
    }
}

extension Answer: CustomStringConvertible {
    public var description: String {
        switch self {
        case .done: "done"
        case .failed(let error): "failed: \(error)"
        case .bytes(let bytes): "\(bytes.count) bytes \(bytes.prefix(12))"
        case .text(let text): "\(text)"
        case .names(let names): "\(names.sorted())"
        case .entries(let entries): entries.keys.sorted().map { "\($0)" }.joined(separator: " ")
        case .status(let status):
            "\(status.type) \(String(status.permissions, radix: 8)) \(status.uid):\(status.gid) size \(status.size)"
                + " links \(status.links) time \(status.time) identity \(status.identity)"
        }
    }
}
