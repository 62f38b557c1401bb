// IngestProgress owns the way by which both halves of an ingest learn that it is to stop.

import Synchronization

/// Reports progress for whoever reads the blob, and asks again for whoever works on it.
final class IngestProgress: Sendable {
    private let callback: (@Sendable (UInt64) -> Bool)?
    private let last = Atomic<UInt64>(0)

    init(_ callback: (@Sendable (UInt64) -> Bool)?) {
        self.callback = callback
    }

    /// Says that `count` bytes of the blob were read; false when the ingest is to stop.
    func report(_ count: UInt64) -> Bool {
        last.store(count, ordering: .relaxed)
        return callback?(count) ?? true
    }

    /// Whether the ingest is to go on.
    var isWanted: Bool { callback?(last.load(ordering: .relaxed)) ?? true }
}
