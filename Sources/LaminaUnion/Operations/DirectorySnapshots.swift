// DirectorySnapshots owns the entries of directories that are being read, and the numbers by which
// the kernel comes back for the rest. Nobody says when a reading ends, so only so many are kept.

import LaminaCore
import LaminaSystem
import Synchronization

/// A place in a snapshot, as the kernel keeps it between two requests.
struct SnapshotPosition {
    /// Which snapshot.
    var number: UInt32
    var index: Int

    /// Bit 62: positions in the chain image are far below, and the kernel's are signed.
    private static let mark: UInt64 = 1 << 62

    init(_ number: UInt32) {
        self.number = number
        index = 0
    }

    /// Nil for a position in the chain image.
    init?(cookie: UInt64) {
        guard cookie & Self.mark != 0 else { return nil }
        number = UInt32(truncatingIfNeeded: cookie >> 32) & DirectorySnapshots.numbers
        index = Int(cookie & 0xFFFF_FFFF)
    }

    var cookie: UInt64 { Self.mark | UInt64(number) << 32 | UInt64(index) & 0xFFFF_FFFF }
}

/// The listings that are being read, the newest and so many of the others as the bounds allow.
final class DirectorySnapshots: Sendable {
    /// A bit less than 32 bits of number, so that a position stays positive.
    static let numbers: UInt32 = 0x3FFF_FFFF
    private static let mostSnapshots = 1_024
    private static let mostEntries = 65_536

    private struct Snapshot {
        let number: UInt32
        let id: NodeID
        let entries: [ListedEntry]
    }

    private struct Kept {
        /// The one to be let go next is the first.
        var snapshots: [Snapshot] = []
        var entries = 0
        var next: UInt32 = 1
    }

    private let kept = Mutex(Kept())

    /// Keeps a snapshot; its number.
    func insert(_ entries: [ListedEntry], of id: NodeID) -> UInt32 {
        kept.withLock { kept in
            let number = kept.next
            kept.next = number >= Self.numbers ? 1 : number + 1
            kept.snapshots.append(Snapshot(number: number, id: id, entries: entries))
            kept.entries += entries.count
            while kept.snapshots.count > Self.mostSnapshots
                || kept.entries > Self.mostEntries && kept.snapshots.count > 1
            {
                kept.entries -= kept.snapshots.removeFirst().entries.count
            }
            return number
        }
    }

    /// The entries of a snapshot of `id`; nil when it is not kept any more.
    func entries(_ number: UInt32, of id: NodeID) -> [ListedEntry]? {
        kept.withLock { kept in
            kept.snapshots.last { $0.number == number && $0.id == id }?.entries
        }
    }

    /// A reading came to its end: this snapshot is let go before others.
    func end(_ number: UInt32) {
        kept.withLock { kept in
            guard let index = kept.snapshots.firstIndex(where: { $0.number == number }) else { return }
            kept.snapshots.insert(kept.snapshots.remove(at: index), at: 0)
        }
    }
}
