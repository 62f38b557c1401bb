// Bytes of files in the model, by path and through held files.

import Glibc
import LaminaCore

extension Model {
    func data(_ operation: Operation) throws(Errno) -> Answer {
        switch operation {
        case .write(let path, let offset, let count, let seed):
            let node = try open(path, O_WRONLY, 0)
            try write(SeededRandom.bytes(count, seed: seed), at: offset, to: node)
        case .append(let path, let count, let seed):
            let node = try open(path, O_WRONLY, 0)
            try write(SeededRandom.bytes(count, seed: seed), at: node.bytes.count, to: node)
        case .truncate(let path, let size):
            let node = try find(path, follow: true)
            guard !node.isDirectory else { throw .isDirectory }
            guard node.type == .regular else { throw .invalidArgument }
            if node.bytes.count == size { soften(node) } else { resize(node, to: size) }
            node.attributes[capability] = nil
        case .read(let path, let offset, let count):
            let node = try open(path, O_RDONLY, 0)
            return .bytes(try read(node, offset, count))
        default: break
        }
        return .done
    }

    func run(_ operation: HeldOperation, slot: Int) throws(Errno) -> Answer {
        guard let file = held[slot] else { return .done }
        let node = file.node
        switch operation {
        case .read(let offset, let count):
            return .bytes(try read(node, offset, count))
        case .write(let offset, let count, let seed):
            guard file.canWrite || node.type == .fifo else { throw .badFileDescriptor }
            let start = file.flags & O_APPEND != 0 ? node.bytes.count : offset
            try write(SeededRandom.bytes(count, seed: seed), at: start, to: node)
        case .truncate(let size):
            guard node.type == .regular, file.canWrite else { throw .invalidArgument }
            resize(node, to: size)
            node.attributes[capability] = nil
        case .status: return .status(node.status)
        case .setPermissions(let permissions): node.permissions = permissions
        case .setOwner(let uid, let gid): setOwner(of: node, uid, gid)
        case .setTime(let time): node.time = .exactly(time)
        case .setAttribute(let name, let value): try setAttribute(of: node, name, value, flags: 0)
        case .attributeNames: return .names(Set(node.attributes.keys))
        case .sync:
            if node.type == .fifo || node.type == .characterDevice { throw .invalidArgument }
        }
        return .done
    }

    /// Whether truncate(2) to the size that is there sets the time, filesystems disagree.
    private func soften(_ node: ModelNode) {
        if case .exactly(let time) = node.time { node.time = .either(time) }
    }

    private func read(_ node: ModelNode, _ offset: Int, _ count: Int) throws(Errno) -> [UInt8] {
        switch node.type {
        case .directory: throw .isDirectory
        case .fifo: throw .illegalSeek
        case .regular: return Array(node.bytes.dropFirst(offset).prefix(count))
        default: return []
        }
    }

    private func write(_ bytes: [UInt8], at offset: Int, to node: ModelNode) throws(Errno) {
        if node.type == .fifo { throw .illegalSeek }
        guard node.type == .regular else { return }
        let end = offset + bytes.count
        if node.bytes.count < end {
            node.bytes += [UInt8](repeating: 0, count: end - node.bytes.count)
        }
        node.bytes.replaceSubrange(offset..<end, with: bytes)
        touch(node)
    }

    func resize(_ node: ModelNode, to size: Int) {
        if size < node.bytes.count {
            node.bytes.removeLast(node.bytes.count - size)
        } else {
            node.bytes += [UInt8](repeating: 0, count: size - node.bytes.count)
        }
        touch(node)
    }

    func touch(_ node: ModelNode) {
        node.time = .recent
        node.isWritten = true
        node.attributes[capability] = nil
    }
}

/// Lost with every change of bytes or owner (`capabilities(7)`).
let capability: ByteString = "security.capability"

extension Model {
    /// After a crash in the middle of a write: takes over what the file holds, if each byte is
    /// the one before or the one after, as far as the write got.
    public func settle(_ step: Operation, _ bytes: [UInt8]) {
        guard let node = node(at: step.path, follow: true), node.type == .regular else { return }
        let start: Int
        let written: [UInt8]
        switch step {
        case .write(_, let offset, let count, let seed):
            (start, written) = (offset, SeededRandom.bytes(count, seed: seed))
        case .append(_, let count, let seed):
            (start, written) = (node.bytes.count, SeededRandom.bytes(count, seed: seed))
        default: return
        }
        for count in stride(from: written.count - 1, to: 0, by: -1) {
            var partial = node.bytes
            if partial.count < start + count {
                partial += [UInt8](repeating: 0, count: start + count - partial.count)
            }
            partial.replaceSubrange(start..<(start + count), with: written.prefix(count))
            guard partial == bytes else { continue }
            node.bytes = partial
            touch(node)
            return
        }
    }
}

extension Operation {
    /// The path of a step that changes bytes.
    fileprivate var path: ByteString {
        switch self {
        case .write(let path, _, _, _), .append(let path, _, _): path
        default: ByteString()
        }
    }
}
