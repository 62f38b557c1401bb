// RealTree runs the steps of a script on a directory of this machine, each as the system calls
// that it stands for.

import Glibc
import LaminaCore
import LaminaSystem

/// A tree on disk and the files of it that are open. For one thread at a time.
public final class RealTree {
    let root: Descriptor
    private var held: [Int: HeldFile] = [:]

    private final class HeldFile {
        let file: Descriptor
        init(_ file: consuming Descriptor) { self.file = file }
    }

    public init(_ path: ByteString) throws {
        root = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    /// Whether `hold` has a file in a slot.
    public var openFiles: Int { held.count }

    /// Does one step.
    public func run(_ operation: Operation) -> Answer {
        do throws(Errno) {
            return try answer(operation)
        } catch {
            return .failed(error)
        }
    }

    private func answer(_ operation: Operation) throws(Errno) -> Answer {
        switch operation {
        case .open(let path, let flags, let permissions):
            _ = try root.open(path, flags | O_NONBLOCK, permissions: permissions)
        case .makeDirectory(let path, let permissions):
            try root.makeDirectory(path, permissions: permissions)
        case .makeNode(let path, let type, let permissions, let device):
            try root.makeNode(path, mode: type.rawValue | permissions, device: device)
        case .symlink(let path, let target): try root.makeSymlink(path, target: target)
        case .link(let old, let new): try root.link(old, to: root, new)
        case .rename(let old, let new, let flags): try root.rename(old, to: root, new, flags: flags)
        case .removeFile(let path): try root.removeFile(path)
        case .removeDirectory(let path): try root.removeDirectory(path)
        case .hold(let slot, let path, let flags):
            held[slot] = nil
            held[slot] = HeldFile(try root.open(path, flags | O_NONBLOCK, permissions: 0o644))
        case .release(let slot): held[slot] = nil
        case .held(let slot, let operation):
            if let file = held[slot] { return try Self.run(operation, on: file.file) }
        case .filesystemStatus:
            if try root.filesystemStatus().blocks == 0 { throw .ioError }
        case .write, .append, .truncate, .read: return try data(operation)
        default: return try attributes(operation)
        }
        return .done
    }

    private func data(_ operation: Operation) throws(Errno) -> Answer {
        switch operation {
        case .write(let path, let offset, let count, let seed):
            let file = try root.open(path, O_WRONLY | O_NONBLOCK)
            try file.writeAll(SeededRandom.bytes(count, seed: seed).raw, at: Int64(offset))
        case .append(let path, let count, let seed):
            let file = try root.open(path, O_WRONLY | O_APPEND | O_NONBLOCK)
            try file.writeAll(SeededRandom.bytes(count, seed: seed).raw, at: 0)
        case .truncate(let path, let size):
            try root.open(path, OpenFlag.path).setPathSize(Int64(size))
        case .read(let path, let offset, let count):
            let file = try root.open(path, O_RDONLY | O_NONBLOCK)
            return .bytes(try file.readBytes(at: Int64(offset), count: count))
        default: break
        }
        return .done
    }

    private static func run(
        _ operation: HeldOperation, on file: borrowing Descriptor
    ) throws(Errno) -> Answer {
        switch operation {
        case .read(let offset, let count):
            return .bytes(try file.readBytes(at: Int64(offset), count: count))
        case .write(let offset, let count, let seed):
            try file.writeAll(SeededRandom.bytes(count, seed: seed).raw, at: Int64(offset))
        case .truncate(let size): try file.truncate(to: Int64(size))
        case .status: return .status(try NodeStatus(file.status()))
        case .setPermissions(let permissions): try file.setPermissions(permissions)
        case .setOwner(let uid, let gid): try file.setOwner(uid: uid, gid: gid)
        case .setTime(let time): try file.setTimes(atime: .keep, mtime: .set(time))
        case .setAttribute(let name, let value): try file.setExtendedAttribute(name, value.raw)
        case .attributeNames: return .names(Set(try file.extendedAttributeNames()))
        case .sync: try file.sync()
        }
        return .done
    }
}

extension NodeStatus {
    init(_ status: FileStatus) throws(Errno) {
        guard let type = status.type else { throw .ioError }
        self.init(
            type: type, permissions: status.mode & 0o7777, uid: status.uid, gid: status.gid,
            device: status.namedDevice, size: type == .directory ? 0 : Int(status.size),
            links: Int(status.linkCount), time: .exactly(status.mtime), identity: status.inode)
    }
}
