// UpperTree owns the sandbox's directories on disk and knows how to reach a node there.
// It changes nothing by itself and takes no lock.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// The writable half of a union: `upper` and `work` of one filesystem.
final class UpperTree: Sendable {
    let root: Descriptor
    let work: Descriptor
    let convention: OverlayConvention
    let ownership: Ownership
    /// Whether nothing is made durable until the mount ends.
    let isVolatile: Bool
    /// The block maps, in `maps` beside `upper` and `work`.
    let maps: MapRoom
    /// Directories that left the tree.
    let sweep: WorkSweep
    /// Copies that a power cut would take back.
    let unsettled: UnsettledFiles
    /// Copies that do not have all their names yet, in `links` beside them.
    let links: SandboxRoom
    let copiedUp: @Sendable (CopyKind) -> Void
    /// What is known of the names on disk.
    let names: SandboxNames
    /// Told of directories that came into the sandbox for something beneath them.
    let parentCopied = Mutex<(@Sendable (NodeID) -> Void)?>(nil)
    private let nextTemporary = Atomic<UInt64>(0)

    /// The kernel takes paths below `PATH_MAX`; longer ones are walked in pieces.
    private static let longestPath = 3_500

    init(
        root: consuming Descriptor, work: consuming Descriptor, nodes: UInt64, _ options: UnionOptions
    ) throws(Errno) {
        names = try SandboxNames(nodes: nodes)
        convention = try OverlayConvention(probing: work)
        ownership = options.ownership
        isVolatile = options.isVolatile
        copiedUp = options.copiedUp
        let sandbox = SharedDescriptor(try work.open("..", OpenFlag.path | O_DIRECTORY))
        maps = MapRoom(sandbox: sandbox, readOnly: options.isReadOnly)
        unsettled = UnsettledFiles(sandbox: sandbox, readOnly: options.isReadOnly)
        links = SandboxRoom("links", in: sandbox)
        sweep = try WorkSweep(work: work)
        self.root = root
        self.work = work
    }

    /// A name that nothing in `work` has: `work` is emptied when a mount starts.
    func temporaryName() -> ByteString {
        ByteString("t\(nextTemporary.wrappingAdd(1, ordering: .relaxed).newValue)")
    }

    /// The path of `node` from the upper root, by the first known name of each parent.
    /// - Throws: `ESTALE` for a node without a name.
    private func path(of node: UpperNode, then last: ByteString? = nil) throws(Errno) -> [ByteString] {
        var components: [ByteString] = []
        components.reserveCapacity(16)
        if let last { components.append(last) }
        var current = node
        while current.id != .root {
            guard let name = current.names.first, components.count < 2 * Limits.depth else {
                throw .staleNFSFileHandle
            }
            components.append(name.name)
            current = name.parent
        }
        components.reverse()
        return components
    }

    /// As `withPlace`, for a `body` that may put something there.
    func withNewPlace<Value: ~Copyable>(
        of name: ByteString, in directory: UpperNode,
        _ body: (borrowing Descriptor, ByteString) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        names.add(name, in: directory.id)
        return try withPlace(of: name, in: directory, body)
    }

    /// Calls `body` with a directory and a path below it that lead to `name` in `directory`.
    func withPlace<Value: ~Copyable>(
        of name: ByteString, in directory: UpperNode,
        _ body: (borrowing Descriptor, ByteString) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try withPath(try path(of: directory, then: name), body)
    }

    private func withPath<Value: ~Copyable>(
        _ components: [ByteString], _ body: (borrowing Descriptor, ByteString) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        if components.isEmpty { return try body(root, ".") }
        var index = 0
        var count = 0
        while index < components.count, count < Self.longestPath {
            count += components[index].count + 1
            index += 1
        }
        let path = ByteString(joining: components[..<index])
        if index == components.count { return try body(root, path) }
        var directory = try root.open(path, OpenFlag.path | O_DIRECTORY | O_NOFOLLOW)
        while index < components.count - 1 {
            directory = try directory.open(components[index], OpenFlag.path | O_DIRECTORY | O_NOFOLLOW)
            index += 1
        }
        return try body(directory, components[index])
    }

    /// An `O_PATH` descriptor of a node, by its name or its anchor.
    func open(_ node: UpperNode) throws(Errno) -> Descriptor {
        if let anchor = node.anchor { return try anchor.descriptor.duplicate() }
        return try withPath(try path(of: node)) { (directory, path) throws(Errno) in
            try directory.openPath(path)
        }
    }

    /// A regular file, opened with `flags`, by its name or its anchor.
    func openFile(_ node: UpperNode, _ flags: Int32) throws(Errno) -> Descriptor {
        if let anchor = node.anchor { return try anchor.descriptor.reopen(flags) }
        guard node.type == .regular else { throw .invalidArgument }
        return try withPath(try path(of: node)) { (directory, path) throws(Errno) in
            try directory.open(path, flags | O_NOFOLLOW)
        }
    }

    /// An `O_PATH` descriptor of `name` in `directory`.
    func openPath(_ name: ByteString, in directory: UpperNode) throws(Errno) -> Descriptor {
        try withPlace(of: name, in: directory) { (parent, path) throws(Errno) in try parent.openPath(path) }
    }

    /// The status of a node on disk.
    func status(of node: UpperNode) throws(Errno) -> FileStatus {
        if let anchor = node.anchor { return try status(of: anchor.descriptor) }
        return try withPath(try path(of: node)) { (directory, path) throws(Errno) in
            try status(of: path, below: directory)
        }
    }

    /// The status of `name` in `directory`; nil when the sandbox has nothing there.
    func status(of name: ByteString, in directory: UpperNode) throws(Errno) -> FileStatus? {
        if name.withSpan({ names.exclude($0, in: directory.id) }) { return nil }
        do throws(Errno) {
            return try withPlace(of: name, in: directory) { (parent, path) throws(Errno) in
                try status(of: path, below: parent)
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        }
    }

    /// Makes a whiteout in `work` and returns its name there.
    func makeWhiteout() throws(Errno) -> ByteString {
        let name = temporaryName()
        try work.makeNode(name, mode: FileType.characterDevice.rawValue, device: .zero)
        return name
    }

    /// Removes what an interrupted change left in `work`.
    func emptyWork() throws(Errno) {
        try work.openDirectory(".").removeContents()
    }
}
