// Redirects owns the points of a container's tree that lead elsewhere, and hands to their trees what is asked at
// and beneath them.
//
// Invariant: a point is a name in a directory, whose node the kernel's forgets never end; so it moves with that
// directory and stays when the directory is renamed. Who asks for another name pays a load.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class Redirects: Sendable {
    struct Point: Hashable {
        let parent: NodeID
        let name: ByteString
    }

    let table: HostTable
    let claims = VolumeClaims()
    private let ownership: Ownership
    /// Whether the whole mount is.
    private let isReadOnly: Bool
    private let points = Mutex<[Point: RedirectedTree]>([:])
    private let images = Mutex<[ImageTree]>([])
    /// Hashes of directories that have a point, or had one.
    private let parents: AtomicBits
    private static let parentBits: UInt64 = 1 << 16
    private let count = Atomic<Int>(0)

    /// - Throws: `ENOMEM`.
    init(_ options: UnionOptions) throws(Errno) {
        ownership = options.ownership
        isReadOnly = options.isReadOnly
        table = HostTable(wanted: options.redirectDescriptors)
        parents = try AtomicBits(count: Self.parentBits)
    }

    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    /// What stands at `name` in `parent`, if it is a redirect.
    @inline(__always)
    func tree(at name: ByteString, in parent: NodeID) -> RedirectedTree? {
        guard parents.contains(Self.bit(parent)) else { return nil }
        return points.withLock { $0[Point(parent: parent, name: name)] }
    }

    private static func bit(_ id: NodeID) -> UInt64 {
        (id.rawValue ^ id.rawValue >> 16 ^ id.rawValue >> 47) % parentBits
    }

    /// Puts a tree at a point, in the place of one that may be there.
    /// - Returns: that one.
    @discardableResult
    func insert(_ tree: RedirectedTree, at point: Point) -> RedirectedTree? {
        points.withLock { points in
            parents.insert(Self.bit(point.parent))
            let former = points.updateValue(tree, forKey: point)
            count.store(points.count, ordering: .relaxed)
            return former
        }
    }

    /// Takes what stands at a point away. Who has files of it open keeps them.
    func remove(_ point: Point) {
        points.withLock { points in
            points[point] = nil
            count.store(points.count, ordering: .relaxed)
        }
    }

    /// The redirects and where they stand.
    var all: [Point: RedirectedTree] { points.withLock { $0 } }

    // MARK: Nodes

    /// The node of an O_PATH descriptor as an entry, counted as looked up.
    func enter(_ handle: consuming Descriptor, _ tree: HostTree) throws(Errno) -> Entry {
        let status = try handle.status()
        let node = try table.enter(handle, status, of: tree)
        return Entry(id: node.id, status: shown(status, of: node))
    }

    /// The same for what has a name in `parent`, of which the kernel is told.
    /// - Parameters:
    ///   - moment: of the watches, from before the name was looked at.
    ///   - isOwn: whether the kernel asked for a change.
    func enter(
        _ handle: consuming Descriptor, _ tree: HostTree, as name: ByteString, in parent: NodeID,
        since moment: UInt64? = nil, isOwn: Bool = false
    ) throws(Errno) -> Entry {
        var status = try handle.status()
        let node = try table.enter(handle, status, of: tree)
        // What happened between the two would be lost.
        if table.watches.watch(node) { status = try node.handle().descriptor.status() }
        var entry = Entry(id: node.id, status: shown(status, of: node))
        if entry.status.isClaimed {
            entry.status.isClaimed = tree.claim?.tell(name, in: parent) == true
        } else if tree.isWatchable {
            let isPoint = self.tree(at: name, in: parent) != nil
            let place = isPoint ? nil : NodeName(parent: parent, name: name)
            entry.status.isClaimed = table.watches.tell(
                status, of: node, as: place, since: moment, isOwn: isOwn)
        }
        return entry
    }

    /// What stat shows: the file's own status, under a number that is clear of the union's.
    func shown(_ status: FileStatus, of node: HostNode) -> FileStatus {
        var result = status
        result.inode = node.shownInode(status.inode)
        result.isShared = true
        result.isFleeting = node.tree.redirect.consistency == .consistent
        result.isClaimed = node.tree.claim?.isAlone == true && !node.mayBeMapped
        // A plain user's files belong to whoever he is in the image.
        if case .recorded(let uid, let gid) = ownership {
            if status.uid == geteuid() { result.uid = uid }
            if status.gid == getegid() { result.gid = gid }
        }
        return result
    }

    /// The ids that a file is given on disk for those of the image.
    func onDisk(uid: UInt32, gid: UInt32) -> (uid: UInt32, gid: UInt32) {
        guard case .recorded(let ownUser, let ownGroup) = ownership else { return (uid, gid) }
        return (uid == ownUser ? geteuid() : uid, gid == ownGroup ? getegid() : gid)
    }

    /// The image that a node is of, and its number there; nil for nodes of the host.
    /// - Throws: `ESTALE` for an image that was never shown.
    func image(of id: NodeID) throws(Errno) -> (ImageTree, UInt64)? {
        guard let (number, nid) = id.imageNode else { return nil }
        let image = images.withLock { $0.indices.contains(number) ? $0[number] : nil }
        guard let image else { throw .staleNFSFileHandle }
        return (image, nid)
    }

    /// Takes an image in that a redirect shows.
    func add(_ redirect: Redirect, _ lower: LowerTree) throws(RedirectFailure) -> ImageTree {
        let number = images.withLock { $0.count }
        guard number < ImageTree.most else { throw RedirectFailure(redirect, "too many images were shown") }
        let image = try ImageTree(redirect, lower, number: number)
        images.withLock { $0.append(image) }
        return image
    }

    /// A node that may be changed.
    /// - Throws: `EROFS` for one of an image, or of a read-only redirect or mount.
    func writable(_ id: NodeID) throws(Errno) -> HostNode {
        guard id.imageNode == nil else { throw .readOnlyFileSystem }
        let node = try table.node(id)
        guard !isReadOnly, !node.tree.isReadOnly else { throw .readOnlyFileSystem }
        return node
    }

    // MARK: Lookup

    /// The node called `name` in `parent`, counted as looked up; nil when no redirect has a say.
    /// - Throws: `ENOENT` for a name that is not there: others may make it, so nobody must remember that.
    func lookup(_ name: ByteString, in parent: NodeID) throws(Errno) -> Entry? {
        switch tree(at: name, in: parent) {
        case .host(let tree):
            let moment = table.watches.moment(tree)
            return try enter(tree.openRoot(), tree, as: name, in: parent, since: moment)
        case .image(let tree): return try tree.entry(tree.root)
        case nil: break
        }
        guard parent.isRedirected else { return nil }
        if let (image, nid) = try image(of: parent) { return try image.lookup(name, in: nid) }
        let directory = try table.node(parent)
        _ = table.watches.watch(directory)
        let moment = table.watches.moment(directory.tree)
        let handle: Descriptor
        do throws(Errno) {
            handle = try directory.step(to: name)
        } catch .noSuchFileOrDirectory {
            table.watches.tellMissing(name, in: directory, since: moment)
            throw .noSuchFileOrDirectory
        }
        return try enter(handle, directory.tree, as: name, in: parent, since: moment)
    }

    /// For how long the kernel may remember that a name is missing, of which it is about to be told.
    func absence(of name: ByteString, in directory: NodeID) -> NodeLifetime {
        if directory.imageNode != nil { return .shared }
        guard let tree = try? table.node(directory).tree, tree.redirect.consistency == .cached else {
            return .fleeting
        }
        if tree.isWatchable { return table.watches.isMissing(name, in: directory) ? .claimed : .shared }
        return tree.claim?.tell(name, in: directory) == true ? .claimed : .shared
    }

    /// - Throws: `EBUSY` where a redirect stands.
    func refusePoint(_ name: ByteString, in parent: NodeID) throws(Errno) {
        if tree(at: name, in: parent) != nil { throw .resourceBusy }
    }
}
