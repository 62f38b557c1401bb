// Server owns what every request needs: the union and the open files and directories.

import LaminaCore
import LaminaUnion
import Synchronization

/// The state behind one mount. Requests reach it from several threads at once.
final class Server: Sendable {
    let union: Union
    /// How ids of the image are shown; nil shows them as they are.
    let identities: Identities?
    let files = HandleTable<OpenFile>()
    let directories = HandleTable<OpenDirectory>()
    let wire = WireSession()
    let passthrough: Passthrough
    /// Called once, when the kernel accepted the mount.
    let ready: @Sendable () -> Void

    init(union: Union, _ options: MountOptions, ready: @escaping @Sendable () -> Void) {
        self.union = union
        identities = options.identities
        passthrough = Passthrough(
            isWanted: options.wantsPassthrough, isStacked: union.isStacked, isVolatile: options.isVolatile)
        self.ready = ready
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
