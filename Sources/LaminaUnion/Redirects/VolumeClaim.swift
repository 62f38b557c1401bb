// VolumeClaim owns one redirect's place among those that use a volume. As long as no other redirect, of this mount or
// another, leads to the volume, only this one changes it, and the kernel may remember for longer what it was told.
//
// Invariant: who comes second waits until the first has had the kernel ask again for all that it was told for long
// (docs/FORMAT-store.md, "Volumes"). So the names are kept that were told lately; the kernel knows no other way.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

public final class VolumeClaim: Sendable {
    /// Seconds for which the kernel may remember what is in a volume that one redirect alone leads to: the time
    /// after which a change by programs of the host is seen.
    public static let seconds = 30

    /// The lock goes with it; nil where there was none to be had.
    private let file: SharedDescriptor?
    private let alone: Atomic<Bool>
    private let told = Mutex(ToldNames())
    private let ended: @Sendable () -> Void

    /// - Parameter ended: called when nobody uses the claim any more.
    init(_ file: SharedDescriptor?, isAlone: Bool, ended: @escaping @Sendable () -> Void) {
        self.file = file
        alone = Atomic(isAlone)
        self.ended = ended
    }

    deinit {
        ended()
        // At once: the thread may be waiting at the file, and closing it would not end the lock then.
        try? file?.descriptor.lockOpenFile(.free)
    }

    /// Whether no other redirect leads to the volume.
    var isAlone: Bool { alone.load(ordering: .relaxed) }

    /// The kernel is about to be told of a name, or that there is none: whether it may remember that for long.
    func tell(_ name: ByteString, in parent: NodeID) -> Bool {
        guard isAlone else { return false }
        let time = Self.now()
        return told.withLock { told in
            guard isAlone else { return false }
            told.forget(before: time &- UInt32(Self.seconds) &- 1)
            return told.append(name, in: parent, at: time)
        }
    }

    /// Nothing is told for long from now on.
    /// - Returns: the names that the kernel may still remember; nil when another call returned them.
    func share() -> [NodeName]? {
        guard alone.exchange(false, ordering: .relaxed) else { return nil }
        return told.withLock { told in
            defer { told = ToldNames() }
            return told.names
        }
    }

    /// Lets others in.
    func release() {
        try? file?.descriptor.lockOpenFile(.shared)
    }

    /// Seconds by the clock that nobody sets.
    private static func now() -> UInt32 {
        var time = timespec()
        // SAFETY: the kernel fills the local.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return UInt32(truncatingIfNeeded: time.tv_sec)
    }
}

/// Names by the time at which the kernel was told of them, in little memory.
struct ToldNames {
    /// For each: the time, its directory, its bytes' number and they. Those before `first` are forgotten.
    private var bytes: [UInt8] = []
    private var first = 0

    private static let header = 13
    /// More than this is not kept: of names of ten bytes 180 000.
    private static let mostBytes = 4 << 20

    /// Keeps a name; false when there is no room.
    mutating func append(_ name: ByteString, in parent: NodeID, at time: UInt32) -> Bool {
        guard bytes.count + Self.header + name.count <= Self.mostBytes, let count = UInt8(exactly: name.count)
        else { return false }
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: time >> shift))
        }
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: parent.rawValue >> shift))
        }
        bytes.append(count)
        bytes += name.bytes
        return true
    }

    /// Forgets what was told before a time.
    mutating func forget(before time: UInt32) {
        while first < bytes.count, Int32(bitPattern: self.time(at: first) &- time) < 0 { first = next(first) }
        guard first > bytes.count / 2 else { return }
        bytes.removeFirst(first)
        first = 0
    }

    var names: [NodeName] {
        var result: [NodeName] = []
        var place = first
        while place < bytes.count {
            let parent = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[place + 4 + $1]) << (8 * UInt64($1)) }
            let name = ByteString(bytes[place + Self.header..<next(place)])
            result.append(NodeName(parent: NodeID(rawValue: parent), name: name))
            place = next(place)
        }
        return result
    }

    private func time(at place: Int) -> UInt32 {
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
    }

    private func next(_ place: Int) -> Int { place + Self.header + Int(bytes[place + 12]) }
}
