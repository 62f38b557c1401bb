// Making new names in the sandbox: files, directories, nodes, symlinks and links.

import Glibc
import LaminaCore
import LaminaSystem

extension Namespace {
    /// Makes a node with `make`, which gets a directory and a path in it, and gives it its
    /// owner. A whiteout of the name is replaced in one step.
    mutating func create(
        _ name: ByteString, in parent: NodeID, type: FileType, _ creation: Creation,
        _ make: (borrowing Descriptor, ByteString, UInt32) throws(Errno) -> Void
    ) throws(Errno) -> Entry {
        let directory = try ensureDirectory(parent)
        let creation = creation.inheriting(
            try handedDown(by: directory), try defaultList(of: directory), type: type)
        let isOneStep = creation.isOneStep(upper.ownership)
        try occupy(
            name, in: directory, directoryWanted: type == .directory, isOneStep: isOneStep
        ) { (parent, path) throws(Errno) in
            try make(parent, path, upper.firstPermissions(creation.permissions, type))
            if !isOneStep { try creation.apply(to: parent.openPath(path), type: type, upper) }
        }
        guard let status = try upper.status(of: name, in: directory) else { throw .ioError }
        let node = adopt(name, in: directory, inode: status.inode, type: type, lower: nil)
        node.isPlain = isOneStep
        if type == .directory { upper.names.know(node.id) }
        return Entry(id: node.id, status: visible(status, of: node))
    }

    /// The group that new nodes of a directory get from it; nil when they get their maker's.
    private func handedDown(by directory: UpperNode) throws(Errno) -> UInt32? {
        if directory.handsDown == nil {
            let status = try upper.status(of: directory)
            directory.handsDown = (status.gid, status.mode & 0o2000 != 0)
        }
        return directory.handsDown.flatMap { $0.isSetgid ? $0.group : nil }
    }

    /// Runs `make` so that its result stands at `name`: directly when it is one step on disk,
    /// otherwise, and over a whiteout, by way of `work`.
    /// - Throws: `EEXIST` when the container sees something there.
    private func occupy(
        _ name: ByteString, in directory: UpperNode, directoryWanted: Bool, isOneStep: Bool = true,
        _ make: (borrowing Descriptor, ByteString) throws(Errno) -> Void
    ) throws(Errno) {
        let existing = try upper.status(of: name, in: directory)
        if let existing {
            guard existing.isWhiteout else { throw .fileExists }
        } else {
            if try lowerHas(name, in: directory) { throw .fileExists }
            if isOneStep { return try upper.withNewPlace(of: name, in: directory, make) }
        }
        let temporary = upper.temporaryName()
        do throws(Errno) {
            try make(upper.work, temporary)
            try place(temporary, at: name, in: directory, overWhiteout: existing != nil, directoryWanted)
        } catch {
            try? upper.work.removeTree(temporary)
            throw error
        }
    }

    /// Moves what is complete in `work` to its name.
    private func place(
        _ temporary: ByteString, at name: ByteString, in directory: UpperNode, overWhiteout: Bool,
        _ isDirectory: Bool
    ) throws(Errno) {
        let upper = self.upper
        let exchange = overWhiteout && isDirectory
        if exchange {
            try upper.work.openPath(temporary).setExtendedAttribute(
                upper.convention.opaque, [UInt8(ascii: "y")].raw)
        }
        try upper.withNewPlace(of: name, in: directory) { (parent, path) throws(Errno) in
            try upper.work.rename(temporary, to: parent, path, flags: exchange ? RenameFlag.exchange : 0)
        }
        if exchange { try upper.work.removeFile(temporary) }
    }

    /// Makes `name` one more name of `id`.
    mutating func link(_ id: NodeID, to name: ByteString, in parent: NodeID) throws(Errno) -> Entry {
        let node = try copyUp(id)
        guard node.type != .directory else { throw .notPermitted }
        try leaveOwnName(node)
        let directory = try ensureDirectory(parent)
        let handle = try upper.open(node)
        try occupy(name, in: directory, directoryWanted: false) { (parent, path) throws(Errno) in
            try handle.linkOpenFile(to: parent, path)
        }
        node.addName(name, in: directory)
        return Entry(id: node.id, status: visible(try upper.status(of: node), of: node))
    }
}
