// HostNode owns one file or directory beneath a redirect, as long as the kernel knows it: an O_PATH descriptor,
// so that no name of it is resolved twice and nothing done to it can hit another file. Where descriptors run short,
// the kernel's lasting name of the file takes its place.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// A node of a host directory, a volume or a tmpfs.
final class HostNode: Sendable {
    /// What says that two descriptors are of one file of one redirect.
    struct Identity: Hashable {
        let tree: ObjectIdentifier
        let device: UInt64
        let inode: UInt64
    }

    let id: NodeID
    let tree: HostTree
    let type: FileType
    let device: UInt64
    let inode: UInt64
    /// `device` as a small number, for `shownInode`.
    let deviceNumber: UInt64
    private let anchor: Mutex<Anchor>
    /// Whether a program may write into it through a mapping, of which nobody hears.
    private let mapped = Atomic<Bool>(false)
    private let watchNumber = Atomic<Int32>(0)
    /// What the file was when it was last opened; its pages are good for the next who opens it unchanged.
    private let lastOpened = Mutex<Stamp?>(nil)

    private struct Anchor {
        var descriptor: SharedDescriptor?
        var name: FileHandle?
        /// Whether somebody wanted it since the table last looked for one to close.
        var wasUsed = true
    }

    private struct Stamp: Equatable {
        let mtime: Timestamp
        let ctime: Timestamp
        let size: Int64
    }

    init(
        id: NodeID, tree: HostTree, type: FileType, _ status: FileStatus, deviceNumber: UInt64,
        _ anchor: SharedDescriptor
    ) {
        self.id = id
        self.tree = tree
        self.type = type
        device = status.device
        inode = status.inode
        self.deviceNumber = deviceNumber
        self.anchor = Mutex(Anchor(descriptor: anchor))
    }

    var identity: Identity { Identity(tree: ObjectIdentifier(tree), device: device, inode: inode) }

    /// The O_PATH descriptor, opened again where it was closed.
    /// - Throws: `ESTALE` when the file is gone.
    func handle() throws(Errno) -> SharedDescriptor {
        let (descriptor, isNew) = try anchor.withLock { (anchor) throws(Errno) in
            anchor.wasUsed = true
            if let descriptor = anchor.descriptor { return (descriptor, false) }
            guard let name = anchor.name else { throw .staleNFSFileHandle }
            let descriptor = SharedDescriptor(try tree.open(name))
            anchor.descriptor = descriptor
            return (descriptor, true)
        }
        if isNew { tree.table.reopened(id) }
        return descriptor
    }

    /// The number of the watch on a directory (`HostWatches`); 0 until there is one.
    var watch: Int32 {
        get { watchNumber.load(ordering: .acquiring) }
        set { watchNumber.store(newValue, ordering: .releasing) }
    }

    var mayBeMapped: Bool { mapped.load(ordering: .relaxed) }

    /// Notes that a program may map it for writing; true the first time.
    func noteMapping() -> Bool { !mapped.exchange(true, ordering: .relaxed) }

    /// Whether it has a descriptor now.
    var isOpen: Bool { anchor.withLock { $0.descriptor != nil } }

    /// Gives the descriptor up, if the file can be found without it and nobody wanted it since the last time.
    /// - Returns: the descriptor, to be closed outside all locks.
    func close() -> SharedDescriptor? {
        anchor.withLock { anchor in
            guard let descriptor = anchor.descriptor else { return nil }
            guard !anchor.wasUsed else {
                anchor.wasUsed = false
                return nil
            }
            // One without a name left would be gone.
            guard tree.finds, (try? descriptor.descriptor.status().linkCount) ?? 0 > 0,
                let name = try? FileHandle(of: descriptor.descriptor)
            else { return nil }
            anchor.name = name
            anchor.descriptor = nil
            return descriptor
        }
    }

    /// Somebody found the file again by a name: whether it is this one, and not a newer one of its number. Its
    /// descriptor is taken where there is none.
    /// - Returns: nil when it is another file; else whether the descriptor was taken.
    func meets(_ found: SharedDescriptor) -> Bool? {
        anchor.withLock { anchor in
            if anchor.descriptor != nil { return false }
            guard let name = anchor.name, let other = try? FileHandle(of: found.descriptor), name == other
            else {
                return nil
            }
            anchor.descriptor = found
            anchor.wasUsed = true
            return true
        }
    }

    /// One name further, and never anywhere else: no symlink is followed and no mount point crossed.
    /// - Throws: `ENOENT`; `EXDEV` for a mount point; `ENFILE` when this process has too many files.
    func step(to name: ByteString) throws(Errno) -> Descriptor {
        try HostTree.step(from: handle().descriptor, to: name)
    }

    /// The inode number that the container sees. Bit 62 keeps it clear of the union's own, and the device of
    /// those of other redirects.
    func shownInode(_ inode: UInt64) -> UInt64 {
        let low = (1 as UInt64) << 48 - 1
        return 1 << 62 | ((deviceNumber ^ inode >> 48) & 0x3FFF) << 48 | inode & low
    }

    /// Whether the file is as it was when it was last opened, which it is now.
    func isUnchangedSinceOpen(_ status: FileStatus) -> Bool {
        let stamp = Stamp(mtime: status.mtime, ctime: status.ctime, size: status.size)
        return lastOpened.withLock { last in
            defer { last = stamp }
            return last == stamp
        }
    }
}
