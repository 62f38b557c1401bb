// Union owns one container's tree: the layers below, the sandbox above, and the files
// that are open. It knows nothing of FUSE and can be tested without a mount.
//
// Invariant: a node that only the layers know is answered from the chain image alone,
// without a lock; everything else happens under the namespace's lock.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem
import Synchronization

/// How a union behaves.
public struct UnionOptions: Sendable {
    /// Every change is refused with `EROFS`.
    public var isReadOnly = false
    /// Nothing is made durable until the mount ends.
    public var isVolatile = false
    /// A name leads to what differs from it by case alone, where nothing has the name itself.
    public var ignoresCase = false
    public var ownership = Ownership.own
    /// How many nodes beneath redirects may have a descriptor; nil: as the process's limit allows.
    public var redirectDescriptors: Int?
    /// Told of each copy that is made of a lower node, from any thread, with locks held.
    public var copiedUp: @Sendable (CopyKind) -> Void = { _ in }

    public init() {}
}

/// How a lower node came into the sandbox.
public enum CopyKind: Sendable {
    /// With all bytes that it keeps, copied or shared.
    case whole
    /// With a block map: its blocks follow when they are written.
    case byBlock
    /// Without bytes; one of the other kinds follows when a file's bytes are changed.
    case metadata
}

/// The layers of an image with a private writable sandbox on top.
public final class Union: Sendable {
    let lower: LowerTree
    let upper: UpperTree
    /// Which lower nodes the sandbox holds a twin of. Only ever set.
    let twins: AtomicBits
    let isReadOnly: Bool
    /// Whether names are looked up without regard to case (`NameCase`).
    public let ignoresCase: Bool
    let snapshots = DirectorySnapshots()
    let nodeFiles = NodeFiles()
    let redirects: Redirects
    private let residentIndex: ResidentIndex
    private let namespace: Mutex<Namespace>
    /// Says to ThreadSanitizer what it cannot see: the kernel hands a contended Mutex over. Free on x86-64.
    private let handOver = Atomic<UInt8>(0)

    /// - Parameters:
    ///   - lower: the merged layers.
    ///   - upper: the sandbox's `upper` directory.
    ///   - work: the sandbox's `work` directory, on the same filesystem; what an earlier
    ///     mount left in it is removed.
    public init(
        lower: LowerTree, upper: consuming Descriptor, work: consuming Descriptor, _ options: UnionOptions
    ) throws(Errno) {
        self.lower = lower
        isReadOnly = options.isReadOnly
        ignoresCase = options.ignoresCase
        redirects = try Redirects(options)
        residentIndex = ResidentIndex(lower)
        let tree = try UpperTree(root: upper, work: work, nodes: lower.tree.nidLimit, options)
        self.upper = tree
        if !isReadOnly { try tree.emptyWork() }
        if !isReadOnly, options.isVolatile { try VolatileMarker.make(in: tree.work) }
        let twins = try AtomicBits(count: lower.tree.nidLimit)
        self.twins = twins
        var namespace = try Namespace(lower: lower, upper: tree, twins: twins)
        if !isReadOnly { try namespace.finishLinks() }
        self.namespace = Mutex(namespace)
    }

    /// Without `close`, as when the server is killed, files and maps stay as they are.
    deinit {
        upper.maps.forget()
        upper.unsettled.forget()
    }

    /// The mount ended: its copies and what it wrote into block maps become durable, so that a
    /// reboot does not look like a power cut; and all that a volatile one wrote.
    public func close() throws(Errno) {
        nodeFiles.closeAll()
        guard !isReadOnly else { return }
        try withNamespace { (namespace) throws(Errno) in namespace.table.discardRemoved() }
        upper.sweep.finish()
        var failure: Errno?
        do throws(Errno) {
            try settleAll()
            try upper.unsettled.end()
        } catch {
            failure = error
        }
        try upper.maps.makeDurable()
        try finishVolatile()
        if let failure { throw failure }
    }

    /// Has somebody told of each directory that is copied up for something beneath it: what stat shows of
    /// it is other than before, and nobody asked for that. From any thread, with locks held.
    public func whenParentIsCopied(_ tell: (@Sendable (NodeID) -> Void)?) {
        upper.parentCopied.withLock { $0 = tell }
    }

    /// Runs `body` alone with the namespace.
    func withNamespace<Value>(
        _ body: (inout Namespace) throws(Errno) -> sending Value
    ) throws(Errno) -> sending Value {
        try namespace.withLock { (namespace) throws(Errno) in
            _ = handOver.load(ordering: .acquiring)
            defer { handOver.store(0, ordering: .releasing) }
            return try body(&namespace)
        }
    }

    /// Runs a change alone with the namespace.
    /// - Throws: `EROFS` on a read-only union.
    func change<Value>(
        _ body: (inout Namespace) throws(Errno) -> sending Value
    ) throws(Errno) -> sending Value {
        guard !isReadOnly else { throw .readOnlyFileSystem }
        return try withNamespace(body)
    }

    /// Keeps the process small: to be called after every few hundred operations, by any thread. A few
    /// microseconds; without a lock.
    public func boundMemory() {
        residentIndex.bound()
    }

    /// The lower node behind `id`, if the layers alone know it.
    @inline(__always)
    func untouched(_ id: NodeID) -> UInt64? {
        guard let nid = id.nid, !twins.contains(nid) else { return nil }
        return nid
    }
}
