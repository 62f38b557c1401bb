// Deliveries owns which small files of the layers the kernel was given the bytes of, with their first open: that
// saves the request which would ask for them (`FUSE_NOTIFY_STORE`, Linux `fs/fuse/dev.c`). What the kernel drops
// later it asks for.
//
// Invariant: no byte of a file is given once somebody may have changed one. Who changes a file first copies it up and
// then waits here; who gives its bytes is known here before he looks whether the file was copied up.

import Glibc
import LaminaUnion
import Synchronization

final class Deliveries: Sendable {
    /// Lower nodes that had their turn. Without memory for it nothing is given.
    private let made: AtomicBits?
    /// Those that are being given, as many as threads serve at most.
    private let current = Mutex<[UInt64]>([])

    /// For lower nodes below `nodes`.
    init(nodes: UInt64) {
        made = try? AtomicBits(count: nodes)
    }

    /// Runs `give` for a node that had no turn yet.
    /// - Parameter isUntouched: whether only the layers know the node.
    func make(_ nid: UInt64, isUntouched: () -> Bool, _ give: () -> Void) {
        guard let made, !made.contains(nid) else { return }
        made.insert(nid)
        current.withLock { $0.append(nid) }
        if isUntouched() { give() }
        current.withLock { current in
            if let place = current.firstIndex(of: nid) { current.remove(at: place) }
        }
    }

    /// Waits until nobody gives bytes of a node that was copied up: as long as the kernel takes to store them.
    func waitForEnd(of id: NodeID) {
        guard let nid = id.nid else { return }
        while current.withLock({ $0.contains(nid) }) { usleep(20) }
    }
}

extension Server {
    /// Gives the kernel the bytes of a small file of the layers when it is first opened.
    func deliver(_ id: NodeID, _ device: Int32) {
        guard let nid = id.nid, let node = try? union.layerNode(id),
            node.size > 0, node.size < UInt64(WireAnswer.largestBody)
        else { return }
        deliveries.make(nid, isUntouched: { union.isUncounted(id) }) {
            if let bytes = try? WireReply.stored(id, size: Int(node.size), from: union) {
                bytes.send(to: device)
            }
        }
    }
}
