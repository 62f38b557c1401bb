// Passthrough owns which open files the kernel reads and writes by itself, and through which file
// on disk (Linux `fs/fuse/passthrough.c`, `fs/fuse/iomode.c`).
//
// Invariant: all open files of a node go one way at a time, and those that go by the kernel have one
// number; the kernel answers a mistake with EIO. A node's first open decides, until its last close.
// The kernel drops a file before it sends RELEASE, so that what is counted here is never too little.

import LaminaCore
import LaminaSystem
import LaminaUnion
import Synchronization

/// The way of each open file's bytes.
final class Passthrough: Sendable {
    /// What a new open is answered with.
    enum Decision: Equatable {
        /// This server reads and writes.
        case server
        /// The kernel does, through the file of this number.
        case kernel(Int32)
        /// The node is open by way of a file that does not hold what this open has to show.
        case conflict
    }

    private enum Way {
        case server
        case kernel(BackingFile.Kind, Int32)
    }

    private struct Node {
        var way: Way
        var opens = 1
    }

    /// Numbers that the kernel may hold for us at once; opens beyond it go by this server.
    private static let maximum = 1 << 20

    /// Threads that may wait for the kernel's locks at once, far fewer than serve.
    private static let mostNotifying = RequestLoop.mostThreads / 4

    private let isWanted: Bool
    private let stackDepth: UInt32
    /// Whether opens that ask for durability of each write have to hear that it is not wanted.
    private let isVolatile: Bool
    private let active = Atomic<Bool>(false)
    private let isRefused = Atomic<Bool>(false)
    private let device = Atomic<Int32>(-1)
    private let notifying = Atomic<Int>(0)
    private let nodes = Mutex<[NodeID: Node]>([:])

    /// - Parameter isStacked: whether store or sandbox are on overlayfs or its like. Only then is the
    ///   kernel told to allow that, because no overlayfs could be mounted on this mount any more.
    init(isWanted: Bool, isStacked: Bool, isVolatile: Bool) {
        self.isWanted = isWanted
        self.isVolatile = isVolatile
        stackDepth = isStacked ? 2 : 1
    }

    /// Whether the session may give files to the kernel. Never changes after INIT.
    var isOn: Bool { active.load(ordering: .relaxed) }

    /// The session's descriptor of `/dev/fuse`, open until no request can come any more.
    func setDevice(_ device: Int32) {
        self.device.store(device, ordering: .releasing)
    }

    /// Decides at INIT: how many filesystems may stand on each other; nil when all goes by this server.
    func begin(_ wire: WireSession) -> UInt32? {
        guard isWanted, wire.offersPassthrough else { return nil }
        active.store(true, ordering: .releasing)
        return stackDepth
    }

    /// Whether a node is open by way of an object.
    func readsLower(_ id: NodeID) -> Bool {
        nodes.withLock { nodes in
            if case .kernel(.lower, _)? = nodes[id]?.way { true } else { false }
        }
    }

    /// Counts an open and decides on its way; a conflict counts as none.
    /// - Parameter backing: the file that holds all bytes, if there is one.
    func enter(_ id: NodeID, _ backing: BackingFile?, syncs: Bool = false) -> Decision {
        nodes.withLock { (nodes) -> Decision in
            guard let way = nodes[id]?.way else {
                guard nodes.count < Self.maximum, !(syncs && isVolatile), let backing,
                    let number = register(backing)
                else {
                    nodes[id] = Node(way: .server)
                    return .server
                }
                nodes[id] = Node(way: .kernel(backing.kind, number))
                return .kernel(number)
            }
            if case .kernel(.lower(let nid), _) = way, backing?.kind != .lower(nid: nid) { return .conflict }
            nodes[id]?.opens += 1
            if case .kernel(_, let number) = way { return .kernel(number) }
            return .server
        }
    }

    /// Runs `tell`, which waits for locks of directories in the kernel. Who holds one may be waiting for an
    /// answer of ours, so that only a few threads do this at a time; beyond them nothing is told, and a name
    /// is found to have another number when it is next opened.
    func notify(_ tell: () -> Void) {
        let others = notifying.wrappingAdd(1, ordering: .relaxed).oldValue
        if others < Self.mostNotifying { tell() }
        notifying.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Takes an open back, or hears of its end.
    func leave(_ id: NodeID) {
        let unused = nodes.withLock { (nodes) -> Int32? in
            guard var node = nodes[id] else { return nil }
            node.opens -= 1
            guard node.opens == 0 else {
                nodes[id] = node
                return nil
            }
            nodes[id] = nil
            if case .kernel(_, let number) = node.way { return number }
            return nil
        }
        guard let unused else { return }
        FuseBacking.close(unused, on: device.load(ordering: .acquiring))
    }

    /// A number for `backing`; nil when the kernel does not take it.
    private func register(_ backing: BackingFile) -> Int32? {
        guard !isRefused.load(ordering: .relaxed) else { return nil }
        do throws(Errno) {
            return try FuseBacking.open(backing.file.descriptor, on: device.load(ordering: .acquiring))
        } catch Errno.notPermitted {
            // No capability now means none later.
            isRefused.store(true, ordering: .relaxed)
        } catch {
            // ELOOP: another file may be on another filesystem.
        }
        return nil
    }
}
