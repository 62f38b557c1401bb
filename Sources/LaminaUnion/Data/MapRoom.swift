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
    /// Files with blocks that are written and not durable, by their maps' names.
    private let dirty = Mutex<[ByteString: UpperData]>([:])
    /// How many files one sync of the filesystem is for.
    private static let batch = 256

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
            return map
        } catch {
            UnionLog.report("block map \(name) of node \(nid): \(error)")
            throw .ioError
        }
    }

    /// Removes a map that nothing names any more. What stays is harmless.
    func remove(_ name: ByteString) {
        markClean(name)
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

    func markDirty(_ name: ByteString, _ data: UpperData) { dirty.withLock { $0[name] = data } }

    func markClean(_ name: ByteString) { dirty.withLock { $0[name] = nil } }

    /// Lets the dirty files go, as they are.
    func forget() { dirty.withLock { $0.removeAll() } }

    /// Makes durable what was written so far: the files first, all at once, then their maps. What is
    /// written meanwhile waits for the next time. A file that fails keeps no other from it.
    /// - Throws: the first error, when all was tried.
    func makeDurable() throws(Errno) {
        guard !isReadOnly else { return }
        var files = dirty.withLock { Array($0.values) }
        var failure: Errno?
        while !files.isEmpty {
            let batch = files.suffix(Self.batch)
            files.removeLast(batch.count)
            do throws(Errno) {
                try makeDurable(batch)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func makeDurable(_ files: ArraySlice<UpperData>) throws(Errno) {
        var failure: Errno?
        var pending: [(file: UpperData, written: BlockBits)] = []
        for file in files {
            do throws(Errno) {
                if let written = try file.unsynced() { pending.append((file, written)) }
            } catch {
                failure = failure ?? error
            }
        }
        if !pending.isEmpty { try room.open(making: false).descriptor.openDirectory(".").syncFilesystem() }
        for (file, written) in pending {
            do throws(Errno) {
                try file.noteDurable(written)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}
