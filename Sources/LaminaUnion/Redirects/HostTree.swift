// HostTree owns what one redirect leads to: the directory, or the one file, that answers for everything at and
// beneath its point.
//
// Invariant: nothing outside is reached from it. Each step is one name below an open directory (openat2(2)): never
// through a symlink, a magic link or a mount point, and never `..`.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class HostTree: Sendable {
    enum Root: Sendable {
        /// This file or directory, whatever becomes of its names.
        case fixed(SharedDescriptor)
        /// What has the name in the directory, so that a file which is replaced by a rename is followed.
        case named(SharedDescriptor, ByteString, last: SharedDescriptor)
    }

    let redirect: Redirect
    let root: Root
    /// How many files of it are open.
    private let opened = Atomic<Int>(0)
    /// Where its nodes are.
    let table: HostTable
    /// An open directory of the tree's filesystem, by which files are found again; nil where that cannot be.
    private let filesystem: SharedDescriptor?
    /// What the root is; a file that is replaced stays a file.
    let isDirectory: Bool
    /// Whether the kernel says of all changes beneath it, so that what is there may be remembered for long.
    let isWatchable: Bool
    /// On the volume that it leads to.
    let claim: VolumeClaim?

    var isReadOnly: Bool { redirect.readOnly }

    init(
        _ redirect: Redirect, _ root: Root, isDirectory: Bool, in table: HostTable,
        _ claim: VolumeClaim? = nil
    ) {
        self.redirect = redirect
        self.root = root
        self.isDirectory = isDirectory
        self.table = table
        self.claim = claim
        let directory: SharedDescriptor? =
            switch root {
            case .fixed(let file): isDirectory ? file : nil
            case .named(let directory, _, _): directory
            }
        filesystem = directory.flatMap { Self.findable($0.descriptor) }
        isWatchable =
            redirect.kind == .bind && redirect.consistency == .cached && isDirectory
            && directory.map { Self.tellsOfChanges($0.descriptor) } == true
    }

    /// Whether a filesystem's files are changed by this machine's kernel alone, and not beneath it: ext2 to ext4,
    /// XFS, Btrfs, tmpfs, F2FS, bcachefs.
    private static func tellsOfChanges(_ directory: borrowing Descriptor) -> Bool {
        let types: [UInt64] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0xF2F5_2010, 0xCA45_1A4E]
        guard let type = try? directory.filesystemType() else { return false }
        return types.contains(type)
    }

    /// The directory, opened, where this process may open files by their lasting names; tried out.
    private static func findable(_ directory: borrowing Descriptor) -> SharedDescriptor? {
        guard let open = try? directory.openDirectory("."), let name = try? FileHandle(of: open),
            (try? name.open(on: open, OpenFlag.path)) != nil
        else { return nil }
        return SharedDescriptor(open)
    }

    /// Whether files are found again that were closed.
    var finds: Bool { filesystem != nil }

    /// Opens a file by its lasting name.
    func open(_ name: FileHandle) throws(Errno) -> Descriptor {
        guard let filesystem else { throw .staleNFSFileHandle }
        do throws(Errno) {
            return try name.open(on: filesystem.descriptor, OpenFlag.path | O_NOFOLLOW)
        } catch .tooManyOpenFiles {
            throw .tooManyOpenFilesInSystem
        }
    }

    /// One name below a directory.
    static func step(from directory: borrowing Descriptor, to name: ByteString) throws(Errno) -> Descriptor {
        guard name.count <= Limits.nameLength else { throw .fileNameTooLong }
        guard !name.isEmpty, name != ".", name != "..", !name.bytes.contains(UInt8(ascii: "/")) else {
            throw .invalidArgument
        }
        do throws(Errno) {
            return try directory.open(
                name, OpenFlag.path | O_NOFOLLOW,
                resolve: Resolve.beneath | Resolve.noMagicLinks | Resolve.noSymlinks | Resolve.noMountCrossing
            )
        } catch .tooManyOpenFiles {
            throw .tooManyOpenFilesInSystem
        }
    }

    /// An O_PATH descriptor of the root as it is now.
    func openRoot() throws(Errno) -> Descriptor {
        switch root {
        case .fixed(let file): return try file.descriptor.duplicate()
        case .named(let directory, let name, let last):
            // Between a removal and what takes its place, and for what could not be followed, the file stays
            // what it was.
            if let file = try? Self.step(from: directory.descriptor, to: name),
                let type = try? file.status().type, type != .directory, type != .symlink
            {
                return file
            }
            return try last.descriptor.duplicate()
        }
    }

    var openFiles: Int { opened.load(ordering: .relaxed) }

    fileprivate func count(_ difference: Int) { opened.wrappingAdd(difference, ordering: .relaxed) }
}

/// An open file of a tree, counted as long as this lives.
final class HostUse: Sendable {
    private let tree: HostTree

    init(_ tree: HostTree) {
        self.tree = tree
        tree.count(1)
    }

    deinit { tree.count(-1) }
}
