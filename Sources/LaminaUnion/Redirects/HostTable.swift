// HostTable owns the nodes beneath redirects that the kernel knows: found by their number, and by what file they
// are, so that one file of a redirect has one number whatever its names. A number is never given twice.

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
    }

    private let state = Mutex(State())
    /// Each node has a descriptor, and others have to be left for open files.
    private let maximum: Int

    init() {
        var limit = rlimit()
        // SAFETY: the kernel fills the local.
        let isKnown = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        let descriptors = isKnown ? Int(clamping: limit.rlim_cur) : 1024
        maximum = max(256, descriptors - min(2_048, descriptors / 2))
    }

    var count: Int { state.withLock { $0.byID.count } }

    /// The node of an O_PATH descriptor, counted as looked up once.
    /// - Throws: `ENFILE` when there are too many.
    func enter(
        _ handle: consuming Descriptor, _ status: FileStatus, of tree: HostTree
    ) throws(Errno) -> HostNode {
        guard let type = status.type else { throw .ioError }
        let anchor = SharedDescriptor(handle)
        let identity = HostNode.Identity(
            tree: ObjectIdentifier(tree), device: status.device, inode: status.inode)
        let maximum = maximum
        let node: HostNode? = state.withLock { state in
            if let id = state.byIdentity[identity], let known = state.byID[id]?.node {
                state.byID[id]?.lookups += 1
                return known
            }
            guard state.byID.count < maximum else { return nil }
            let number = state.devices[status.device] ?? UInt64(state.devices.count)
            state.devices[status.device] = number
            let id = NodeID(rawValue: NodeID.redirectedBit | state.next)
            state.next &+= 1
            let node = HostNode(id: id, tree: tree, type: type, status, deviceNumber: number, anchor)
            state.byID[id] = Slot(node: node, lookups: 1)
            state.byIdentity[identity] = id
            return node
        }
        guard let node else { throw .tooManyOpenFilesInSystem }
        return node
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
            state.byIdentity[slot.node.identity] = nil
            return slot.node
        }
        withExtendedLifetime(gone) {}
    }
}
