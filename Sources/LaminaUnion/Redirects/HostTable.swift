// HostTable owns the nodes beneath redirects that the kernel knows: found by their number, and by what file they
// are, so that one file of a redirect has one number whatever its names. A number is never given twice.
//
// Invariant: only so many nodes have a descriptor. Those that nobody used for long give theirs up, where the kernel
// finds the file again; where it does not, there are only so many nodes.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class HostTable: Sendable {
    private struct Slot {
        let node: HostNode
        /// Lookups that the kernel has not forgotten, and one for each place of ours that keeps the node.
        var lookups: UInt64
    }

    private struct State {
        var byID: [NodeID: Slot] = [:]
        var byIdentity: [HostNode.Identity: NodeID] = [:]
        var next: UInt64 = 1
        var devices: [UInt64: UInt64] = [:]
        /// Nodes with a descriptor, in the order in which they got it; those before `oldest` were looked at. A
        /// node may be in it that has none any more.
        var order: [NodeID] = []
        var oldest = 0
        /// How many nodes have a descriptor.
        var open = 0
    }

    private let state = Mutex(State())
    let watches = HostWatches()
    /// Nodes with a descriptor, beyond which some are closed, and beyond which there are no more.
    private let wanted: Int
    private let most: Int
    /// Looks at one time for a descriptor to close.
    private static let mostLooks = 64

    /// - Parameter wanted: how many nodes may have a descriptor; nil for half of what the process may have.
    init(wanted: Int? = nil) {
        var limit = rlimit()
        // SAFETY: the kernel fills the local.
        let isKnown = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        let descriptors = isKnown ? Int(clamping: limit.rlim_cur) : 1_024
        most = max(256, descriptors - min(2_048, descriptors / 2))
        self.wanted = wanted ?? most / 2
    }

    var count: Int { state.withLock { $0.byID.count } }
    var openCount: Int { state.withLock { $0.open } }

    /// How many nodes of a tree the kernel knows. O(nodes).
    func count(of tree: HostTree) -> Int {
        state.withLock { state in state.byID.values.count { $0.node.tree === tree } }
    }

    /// The nodes of trees that hold a claim. O(nodes).
    func nodes(of claim: VolumeClaim) -> [NodeID] {
        state.withLock { state in state.byID.filter { $0.value.node.tree.claim === claim }.map(\.key) }
    }

    /// The node of an O_PATH descriptor, counted as looked up once.
    /// - Throws: `ENFILE` when there are too many.
    func enter(
        _ handle: consuming Descriptor, _ status: FileStatus, of tree: HostTree
    ) throws(Errno) -> HostNode {
        guard let type = status.type else { throw .ioError }
        let anchor = SharedDescriptor(handle)
        let identity = HostNode.Identity(
            tree: ObjectIdentifier(tree), device: status.device, inode: status.inode)
        let most = most
        // Closed outside the lock.
        let (node, closed): (HostNode?, [SharedDescriptor]) = state.withLock { state in
            if let id = state.byIdentity[identity], let known = state.byID[id]?.node,
                let isTaken = known.meets(anchor)
            {
                state.byID[id]?.lookups += 1
                return (known, isTaken ? opened(id, &state) : [])
            }
            guard state.open < most else { return (nil, []) }
            let number = state.devices[status.device] ?? UInt64(state.devices.count)
            state.devices[status.device] = number
            let id = NodeID(rawValue: NodeID.redirectedBit | state.next)
            state.next &+= 1
            let node = HostNode(id: id, tree: tree, type: type, status, deviceNumber: number, anchor)
            state.byID[id] = Slot(node: node, lookups: 1)
            state.byIdentity[identity] = id
            return (node, opened(id, &state))
        }
        withExtendedLifetime(closed) {}
        guard let node else { throw .tooManyOpenFilesInSystem }
        return node
    }

    /// The node of a file whose number is in use, if it has one.
    func known(_ status: FileStatus, of tree: HostTree) -> NodeID? {
        let identity = HostNode.Identity(
            tree: ObjectIdentifier(tree), device: status.device, inode: status.inode)
        return state.withLock { state in
            // Without a descriptor it may be a newer file of its number.
            state.byIdentity[identity].flatMap { state.byID[$0]?.node.isOpen == true ? $0 : nil }
        }
    }

    /// A node got a descriptor again.
    func reopened(_ id: NodeID) {
        let closed = state.withLock { state in state.byID[id] == nil ? [] : opened(id, &state) }
        withExtendedLifetime(closed) {}
    }

    /// Counts a descriptor, and takes others away that were not used for long.
    private func opened(_ id: NodeID, _ state: inout State) -> [SharedDescriptor] {
        state.open += 1
        state.order.append(id)
        var closed: [SharedDescriptor] = []
        var looks = 0
        while state.open > wanted, looks < Self.mostLooks, state.oldest < state.order.count - 1 {
            let candidate = state.order[state.oldest]
            state.oldest += 1
            looks += 1
            guard let node = state.byID[candidate]?.node, node.isOpen else { continue }
            if let descriptor = node.close() {
                closed.append(descriptor)
                state.open -= 1
            } else {
                state.order.append(candidate)
            }
        }
        // Forgotten nodes leave their numbers behind.
        if state.order.count > 2 * state.open + 1_024 || state.oldest > 4_096 {
            let rest = state.order[min(state.oldest, state.order.count)...]
            state.order = rest.filter { state.byID[$0]?.node.isOpen == true }
            state.oldest = 0
        }
        return closed
    }

    /// - Throws: `ESTALE` for a number that the kernel forgot.
    func node(_ id: NodeID) throws(Errno) -> HostNode {
        guard let node = state.withLock({ $0.byID[id]?.node }) else { throw .staleNFSFileHandle }
        return node
    }

    /// `count` lookups of a node are forgotten. With the last one it goes.
    func forget(_ id: NodeID, count: UInt64) {
        // Its descriptor is closed outside the lock.
        let gone: HostNode? = state.withLock { state in
            guard let slot = state.byID[id] else { return nil }
            guard slot.lookups <= count else {
                state.byID[id]?.lookups -= count
                return nil
            }
            state.byID[id] = nil
            if slot.node.isOpen { state.open -= 1 }
            // A newer file may have its number by now.
            if state.byIdentity[slot.node.identity] == id { state.byIdentity[slot.node.identity] = nil }
            return slot.node
        }
        if let gone { watches.forget(gone) }
    }
}
