// The union's operations on names, one for each that a root filesystem needs.

import Glibc
import LaminaCore
import LaminaSystem

extension Union {
    /// The node called `name` in `parent`, counted once for `forget`; nil when there is none.
    /// Where the sandbox has nothing of that name: O(log entries), no lock, no allocation.
    public func lookup(_ name: Span<UInt8>, in parent: NodeID) throws(Errno) -> Entry? {
        switch try layerLookup(name, in: parent) {
        case .absent where !ignoresCase: return nil
        case .found(let id, let node): return named(Entry(id: id, status: lower.status(node)))
        case .absent, .undecided: break
        }
        let asked = ByteString(name)
        if let entry = try redirects.lookup(asked, in: parent) { return entry }
        let name = try meant(asked, in: parent)
        if name != asked, let entry = try redirects.lookup(name, in: parent) { return entry }
        return try lookUpCovered(name, in: parent)
    }

    /// The node called `name` in `parent` as it would be without redirects, counted likewise.
    func lookUpCovered(_ name: ByteString, in parent: NodeID) throws(Errno) -> Entry? {
        try withNamespace { (namespace) throws(Errno) in
            let entry = try namespace.lookup(name, in: parent)
            if let entry { namespace.remember(entry.id) }
            return entry.map { named($0) }
        }
    }

    /// The kernel dropped `count` lookups of `id`.
    public func forget(_ id: NodeID, count: UInt64) {
        if untouched(id) != nil { return }
        if id.isRedirected { return redirects.table.forget(id, count: count) }
        nodeFiles.forget(id)
        try? withNamespace { (namespace) in namespace.forget(id, count: count) }
    }

    /// Makes a directory, counted as looked up.
    public func makeDirectory(
        _ name: ByteString, in parent: NodeID, _ creation: Creation
    ) throws(Errno) -> Entry {
        try create(name, in: parent, type: .directory, creation) {
            (directory, path, permissions) throws(Errno) in
            try directory.makeDirectory(path, permissions: permissions)
        }
    }

    /// Makes a node of any type but directory and symlink, counted as looked up.
    public func makeNode(
        _ name: ByteString, in parent: NodeID, type: FileType, device: DeviceNumber, _ creation: Creation
    ) throws(Errno) -> Entry {
        guard type != .directory, type != .symlink else { throw .invalidArgument }
        // 0:0 is how a sandbox writes "nothing here".
        guard type != .characterDevice || device != .zero else { throw .notPermitted }
        return try create(name, in: parent, type: type, creation) {
            (directory, path, permissions) throws(Errno) in
            try directory.makeNode(path, mode: type.rawValue | permissions, device: device)
        }
    }

    /// Makes a symlink, counted as looked up.
    public func makeSymlink(
        _ name: ByteString, in parent: NodeID, target: ByteString, _ creation: Creation
    ) throws(Errno) -> Entry {
        try create(name, in: parent, type: .symlink, creation) { (directory, path, _) throws(Errno) in
            try directory.makeSymlink(path, target: target)
        }
    }

    /// Makes a regular file and opens it, counted as looked up.
    public func createFile(
        _ name: ByteString, in parent: NodeID, _ creation: Creation, flags: Int32
    ) throws(Errno) -> (Entry, OpenFile) {
        if parent.isRedirected {
            try checkName(name)
            let (entry, file) = try redirects.createFile(name, in: parent, creation, flags: flags)
            return (entry, OpenFile(id: entry.id, union: self, source: .upper(file, nil)))
        }
        var file: SharedDescriptor?
        let entry = try create(name, in: parent, type: .regular, creation) {
            (directory, path, permissions) throws(Errno) in
            file = SharedDescriptor(
                try directory.open(path, keptFlags(flags) | O_CREAT | O_EXCL, permissions: permissions))
        }
        guard let file else { throw .ioError }
        return (entry, OpenFile(id: entry.id, union: self, source: .upper(file, nil)))
    }

    private func create(
        _ name: ByteString, in parent: NodeID, type: FileType, _ creation: Creation,
        _ make: (borrowing Descriptor, ByteString, UInt32) throws(Errno) -> Void
    ) throws(Errno) -> Entry {
        try checkName(name)
        let name = try meant(name, in: parent)
        if parent.isRedirected { return try redirects.create(name, in: parent, creation, make) }
        return try change { (namespace) throws(Errno) in
            let entry = try namespace.create(name, in: parent, type: type, creation, make)
            namespace.remember(entry.id)
            return named(entry)
        }
    }

    /// Makes `name` one more name of `id`, counted as looked up.
    public func link(_ id: NodeID, to name: ByteString, in parent: NodeID) throws(Errno) -> Entry {
        try checkName(name)
        let name = try meant(name, in: parent)
        if let entry = try redirects.link(id, to: name, in: parent) { return entry }
        return try change { (namespace) throws(Errno) in
            let entry = try namespace.link(id, to: name, in: parent)
            namespace.remember(entry.id)
            return named(entry)
        }
    }

    /// Removes a name of a file.
    public func removeFile(_ name: ByteString, in parent: NodeID) throws(Errno) {
        let name = try meant(name, in: parent)
        if try redirects.remove(name, in: parent, isDirectory: false) { return }
        try change { (namespace) throws(Errno) in try namespace.removeFile(name, in: parent) }
    }

    /// Removes an empty directory.
    public func removeDirectory(_ name: ByteString, in parent: NodeID) throws(Errno) {
        let name = try meant(name, in: parent)
        if try redirects.remove(name, in: parent, isDirectory: true) { return }
        try change { (namespace) throws(Errno) in try namespace.removeDirectory(name, in: parent) }
    }

    /// Renames; `flags` are those of `renameat2(2)`.
    public func rename(
        _ name: ByteString, in parent: NodeID, to newName: ByteString, in newParent: NodeID, flags: UInt32
    ) throws(Errno) {
        try checkName(newName)
        let name = try meant(name, in: parent)
        let newName = try meant(newName, in: newParent)
        if try redirects.rename(name, in: parent, to: newName, in: newParent, flags: flags) { return }
        try change { (namespace) throws(Errno) in
            try namespace.rename(name, in: parent, to: newName, in: newParent, flags: flags)
        }
    }

    private func checkName(_ name: ByteString) throws(Errno) {
        guard name.count <= Limits.nameLength else { throw .fileNameTooLong }
        guard !name.isEmpty, name != ".", name != ".." else { throw .invalidArgument }
    }
}
