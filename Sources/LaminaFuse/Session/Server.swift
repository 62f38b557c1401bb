// Server owns what every request needs: the union and the open files.

import LaminaCore
import LaminaUnion
import Synchronization

/// The state behind one mount. Requests reach it from several threads at once.
final class Server: Sendable {
    let union: Union
    /// How ids of the image are shown; nil shows them as they are.
    let identities: Identities?
    let files = HandleTable<OpenFile>()
    /// What the kernel need not ask for.
    let unasked = UnaskedOpens()
    let data: DataMode
    let wire = WireSession()
    let listingAdvice = ListingAdvice()
    let deliveries: Deliveries
    let counters: Counters?
    let passthrough: Passthrough
    /// Called once, when the kernel accepted the mount.
    let ready: @Sendable () -> Void

    init(union: Union, _ options: MountOptions, ready: @escaping @Sendable () -> Void) {
        self.union = union
        data = options.data
        deliveries = Deliveries(nodes: union.layerNodeLimit)
        identities = options.identities
        counters = options.counters
        passthrough = Passthrough(
            isWanted: options.data == .passthrough, isStacked: union.isStacked,
            isVolatile: options.isVolatile)
        self.ready = ready
    }

    /// The open file that a request is about. A handle of 0 is none: the kernel opened the file
    /// without asking, and the node says which it is.
    func file(_ handle: UInt64, of id: UInt64, writing: Bool = false) throws(Errno) -> OpenFile {
        guard handle == 0 else { return try files.value(handle) }
        return try union.file(of: NodeID(rawValue: id), writing: writing)
    }
}

extension Server {
    /// The calling thread has sent the answer to the request that it read last.
    /// - Parameters:
    ///   - size: the answer's bytes, with its header.
    ///   - error: the header's: 0 or a negative number.
    @inline(__always)
    func answered(size: Int, error: Int32) {
        guard let counters, counters.ended(size: size, error: error) else { return }
        union.boundMemory()
    }
}

/// Numbers that the kernel holds for objects that live here. A number names a place and
/// how often it was used before, so that one given back too often finds nothing.
final class HandleTable<Value: AnyObject & Sendable>: Sendable {
    private struct Slot {
        var value: Value?
        var uses: UInt32 = 0
    }

    private struct Slots {
        var all: [Slot] = []
        var free: [Int] = []
    }

    private let slots = Mutex(Slots())

    /// More open files than any kernel gives a process, so a bound and not a limit.
    private static var maximum: Int { 1 << 24 }

    /// - Throws: `ENFILE` when too many are open.
    func insert(_ value: Value) throws(Errno) -> UInt64 {
        let handle: UInt64? = slots.withLock { slots in
            let index: Int
            if let free = slots.free.popLast() {
                index = free
            } else {
                guard slots.all.count < Self.maximum else { return nil }
                index = slots.all.count
                slots.all.append(Slot())
            }
            slots.all[index].value = value
            slots.all[index].uses &+= 1
            return UInt64(slots.all[index].uses) << 32 | UInt64(index)
        }
        guard let handle else { throw .tooManyOpenFilesInSystem }
        return handle
    }

    /// - Throws: `EBADF` for a number that names nothing.
    func value(_ handle: UInt64) throws(Errno) -> Value {
        let found: Value? = slots.withLock { slots in
            let index = Int(truncatingIfNeeded: handle & 0xFFFF_FFFF)
            guard index < slots.all.count, slots.all[index].uses == UInt32(handle >> 32) else { return nil }
            return slots.all[index].value
        }
        guard let found else { throw .badFileDescriptor }
        return found
    }

    func remove(_ handle: UInt64) {
        // The value goes away outside the lock: closing a file may take time.
        let removed: Value? = slots.withLock { slots in
            let index = Int(truncatingIfNeeded: handle & 0xFFFF_FFFF)
            guard index < slots.all.count, slots.all[index].uses == UInt32(handle >> 32) else { return nil }
            let value = slots.all[index].value
            if value != nil { slots.free.append(index) }
            slots.all[index].value = nil
            return value
        }
        _ = removed
    }
}
