// MapRoom owns the sandbox's `maps` directory, and knows which maps a clean end must make
// durable.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// The block maps of one sandbox.
final class MapRoom: Sendable {
    private let room: SandboxRoom
    private let isReadOnly: Bool
    /// Maps with blocks that are written and not durable.
    private let dirty = Mutex<Set<ByteString>>([])

    /// - Parameter sandbox: the directory that holds `upper` and `work`.
    init(sandbox: SharedDescriptor, readOnly: Bool) {
        room = SandboxRoom("maps", in: sandbox)
        isReadOnly = readOnly
    }

    /// Makes the map of a lower file of `size` bytes.
    func create(nid: UInt64, size: UInt64) throws(Errno) -> (name: ByteString, map: BlockMap) {
        let directory = try room.open(making: true)
        let name = BlockMapMark.newName()
        let file = SharedDescriptor(
            try directory.descriptor.open(name, O_RDWR | O_CREAT | O_EXCL, permissions: 0o600))
        do throws(Errno) {
            return (name, try BlockMap(creating: file, nid: nid, size: size))
        } catch {
            try? directory.descriptor.removeFile(name)
            throw error
        }
    }

    /// Loads the map called `name`, which must be that of `nid`.
    /// - Throws: `EIO`, after a line in the log, for a map that is missing or damaged.
    func load(_ name: ByteString, nid: UInt64, size: UInt64) throws(Errno) -> BlockMap {
        do throws(Errno) {
            let file = SharedDescriptor(
                try room.open(making: false).descriptor.open(
                    name, (isReadOnly ? O_RDONLY : O_RDWR) | O_NOFOLLOW))
            let map = try BlockMap(loading: file, readOnly: isReadOnly)
            guard map.header.nid == nid, map.header.originalSize == size else { throw .badMessage }
            if map.written != map.durable { markDirty(name) }
            return map
        } catch {
            UnionLog.report("block map \(name) of node \(nid): \(error)")
            throw .ioError
        }
    }

    /// Removes a map that nothing names any more. What stays is harmless.
    func remove(_ name: ByteString) {
        dirty.withLock { _ = $0.remove(name) }
        try? room.open(making: false).descriptor.removeFile(name)
    }

    /// Removes every map: no file of the sandbox names one.
    func removeAll() throws(Errno) {
        do throws(Errno) {
            try room.open(making: false).descriptor.openDirectory(".").removeContents()
        } catch Errno.noSuchFileOrDirectory {
            return
        }
    }

    func markDirty(_ name: ByteString) { dirty.withLock { _ = $0.insert(name) } }

    var hasDirty: Bool { dirty.withLock { !$0.isEmpty } }

    func markClean(_ name: ByteString) { dirty.withLock { _ = $0.remove(name) } }

    /// Makes every written block durable: the files first, all at once, then their maps.
    func makeDurable() throws(Errno) {
        let names = dirty.withLock { $0 }
        guard !isReadOnly, !names.isEmpty else { return }
        let directory = try room.open(making: false)
        try directory.descriptor.openDirectory(".").syncFilesystem()
        for name in names {
            let file = SharedDescriptor(try directory.descriptor.open(name, O_RDWR | O_NOFOLLOW))
            // From the file and not from memory: its users may be gone.
            var map = try BlockMap(loading: file, readOnly: false)
            try map.setDurable(map.written)
            try file.descriptor.syncData()
            markClean(name)
        }
    }
}
