// NodeFiles owns the open files of requests that name a node and no handle: the kernel was told that
// it need not ask for opening. A bounded number stays open; one that was let go is opened again.

import Glibc
import LaminaCore
import Synchronization

/// Open files by node.
final class NodeFiles: Sendable {
    private struct Slot {
        let id: NodeID
        let file: OpenFile
        let isWritable: Bool
    }

    private static let shardCount = 16
    /// Files in each shard: together far fewer than descriptors a process may have.
    private static let shardSize = 32

    /// Slots of each shard in the order of their last use.
    private let shards: [Shard]

    private final class Shard: Sendable {
        let slots = Mutex<[Slot]>([])
    }

    init() {
        shards = (0..<Self.shardCount).map { _ in Shard() }
    }

    private func shard(of id: NodeID) -> Shard {
        shards[Int(truncatingIfNeeded: (id.rawValue ^ id.rawValue >> 4) % UInt64(Self.shardCount))]
    }

    /// The file behind `id`, opened by `open` unless it is open already in a way that serves.
    func file(
        _ id: NodeID, writing: Bool, _ open: () throws(Errno) -> OpenFile
    ) throws(Errno) -> OpenFile {
        let shard = shard(of: id)
        let known: OpenFile? = shard.slots.withLock { slots in
            guard let index = slots.lastIndex(where: { $0.id == id && ($0.isWritable || !writing) }) else {
                return nil
            }
            if index != slots.count - 1 { slots.append(slots.remove(at: index)) }
            return slots.last?.file
        }
        if let known { return known }
        let file = try open()
        keep(file, id, writing: writing)
        return file
    }

    /// Takes an open file in.
    func keep(_ file: OpenFile, _ id: NodeID, writing: Bool) {
        // Closing may take time, so what is let go goes outside the lock.
        let dropped: [Slot] = shard(of: id).slots.withLock { slots in
            var dropped: [Slot] = []
            if let index = slots.firstIndex(where: { $0.id == id && (writing || !$0.isWritable) }) {
                dropped.append(slots.remove(at: index))
            }
            if slots.count >= Self.shardSize { dropped.append(slots.removeFirst()) }
            slots.append(Slot(id: id, file: file, isWritable: writing))
            return dropped
        }
        withExtendedLifetime(dropped) {}
    }

    /// The kernel knows the node no more.
    func forget(_ id: NodeID) {
        let dropped: [Slot] = shard(of: id).slots.withLock { slots in
            let gone = slots.filter { $0.id == id }
            if !gone.isEmpty { slots.removeAll { $0.id == id } }
            return gone
        }
        withExtendedLifetime(dropped) {}
    }

    /// The mount ends.
    func closeAll() {
        for shard in shards {
            let dropped = shard.slots.withLock { slots in
                let all = slots
                slots = []
                return all
            }
            withExtendedLifetime(dropped) {}
        }
    }
}

extension Union {
    /// Keeps a file that was made and opened, for reading and writing, for requests that name its node.
    public func keepOpen(_ file: OpenFile) { nodeFiles.keep(file, file.id, writing: true) }

    /// The file behind a node that nobody opened by a request of its own. For writing, a lower file is
    /// copied up first.
    public func file(of id: NodeID, writing: Bool) throws(Errno) -> OpenFile {
        if !writing, let nid = untouched(id) {
            let content = try lower.contentInStream(nid)
            if let content { return OpenFile(id: id, union: self, source: .lower(content)) }
        }
        return try nodeFiles.file(id, writing: writing) { () throws(Errno) in
            try open(id, flags: writing ? O_RDWR : O_RDONLY)
        }
    }
}
