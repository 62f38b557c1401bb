// ResidentIndex owns how much of the chain image may be in this process's memory. Lookups leave every page that they
// touch mapped; over a bound, which ordinary images never reach, parts are let go in turn. The kernel keeps them in its
// cache, for all mounts of the chain, so that each costs a fault when it is next read, and no reading from disk.

import LaminaCore
import LaminaSystem
import Synchronization

/// Bounds the resident part of a lower tree's index.
final class ResidentIndex: Sendable {
    /// Bytes of all mapped files that may be resident, the program's and its libraries' included.
    private let limit: Int
    /// Bytes of the index that are let go at once.
    private static let step = 4 << 20

    private let lower: LowerTree
    private let memory: ProcessMemory?
    /// Where the next part starts that is let go: the one that was longest left alone.
    private let hand = Atomic<Int>(0)
    private let isBusy = Atomic<Bool>(false)

    init(_ lower: LowerTree, limit: Int = 64 << 20) {
        self.lower = lower
        self.limit = limit
        // A small index can never be too much; without /proc there is no bound.
        memory = lower.tree.byteCount > limit / 4 ? try? ProcessMemory() : nil
    }

    /// Lets go of parts of the index while there is too much, at most all of it once. O(pages let go).
    func bound() {
        guard isOver(limit) else { return }
        // Another thread at it is enough.
        guard !isBusy.exchange(true, ordering: .acquiring) else { return }
        defer { isBusy.store(false, ordering: .releasing) }
        let size = lower.tree.byteCount
        var rest = size
        // A quarter more than needed: what is let go may be wanted again, and looking is not for nothing.
        while rest > 0, isOver(limit / 4 * 3) {
            var start = hand.load(ordering: .relaxed)
            if start >= size { start = 0 }
            let end = min(start + Self.step, size)
            lower.tree.letGo(of: start..<end)
            hand.store(end, ordering: .relaxed)
            rest -= end - start
        }
    }

    private func isOver(_ bytes: Int) -> Bool {
        switch memory {
        case .some(let memory): (try? memory.residentFileBytes()).map { $0 > bytes } ?? false
        case .none: false
        }
    }
}
