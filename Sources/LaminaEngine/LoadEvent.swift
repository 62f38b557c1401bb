// What a load tells while it runs.

import LaminaCore

/// Progress of one layer. Events of different layers come from different threads.
public struct LoadEvent: Sendable, Hashable {
    public enum Step: Sendable, Hashable {
        /// Reading starts; the bytes of its blob.
        case started(size: Int64)
        /// Bytes of the blob that were read so far.
        case read(bytes: Int64)
        /// The layer is complete and verified.
        case loaded
        /// The store has it; nothing was read.
        case exists
    }

    /// The layer's diffID.
    public var layer: Digest
    public var step: Step
}

/// Takes progress; called from several threads, and must not block for long.
public typealias LoadProgress = @Sendable (LoadEvent) -> Void
