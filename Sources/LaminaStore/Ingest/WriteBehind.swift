// WriteBehind owns the knowledge of which bytes of a file the disk has been told about.

/// Says when a growing file has enough new bytes to start the disk on them. Left alone, the
/// kernel holds some gigabytes back until the sync at the end, and the disk idles while the
/// processor works.
struct WriteBehind {
    private var end: Int64 = 0
    private var started: Int64 = 0

    private static let step: Int64 = 8 << 20

    /// Call after `count` bytes were appended; the range to start now, if it is time.
    mutating func wrote(_ count: Int) -> Range<Int64>? {
        end += Int64(count)
        return end - started >= Self.step ? rest() : nil
    }

    /// Call after the last byte; the range that was not started yet.
    mutating func rest() -> Range<Int64>? {
        defer { started = end }
        return end > started ? started..<end : nil
    }
}
