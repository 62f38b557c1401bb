// IdentityMap owns the translation between the ids of an image and those that its mount shows.

/// One-to-one ranges of ids, as in `/proc/PID/uid_map` (`user_namespaces(7)`).
public struct IdentityMap: Hashable, Sendable {
    struct Range: Hashable, Sendable {
        var container: UInt32
        var host: UInt32
        var count: UInt32
    }

    /// What is shown for an id that no range holds (`/proc/sys/kernel/overflowuid`).
    public static let overflow: UInt32 = 65_534
    /// As many as the kernel takes for a user namespace.
    static let maximumRanges = 340

    private let ranges: [Range]

    /// Reads `CONTAINER:HOST:COUNT[,…]`. Nil for anything else, for an empty range, one that ends
    /// beyond 2³² − 2, and for two that share an id on either side.
    public init?(_ text: String) {
        var ranges: [Range] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) }
            guard numbers.count == 3, ranges.count < Self.maximumRanges, let container = numbers[0],
                let host = numbers[1], let count = numbers[2], count > 0
            else { return nil }
            // The last id, −1, means "none" to the kernel.
            guard UInt32.max - count >= max(container, host) else { return nil }
            ranges.append(Range(container: container, host: host, count: count))
        }
        guard !Self.overlap(ranges.map { ($0.container, $0.count) }),
            !Self.overlap(ranges.map { ($0.host, $0.count) })
        else { return nil }
        self.ranges = ranges
    }

    private static func overlap(_ spans: [(start: UInt32, count: UInt32)]) -> Bool {
        let sorted = spans.sorted { $0.start < $1.start }
        return zip(sorted, sorted.dropFirst()).contains { $1.start - $0.start < $0.count }
    }

    /// What the mount shows for an id of the image. O(ranges).
    public func shown(_ id: UInt32) -> UInt32 {
        for range in ranges where id >= range.container && id - range.container < range.count {
            return range.host + (id - range.container)
        }
        return Self.overflow
    }

    /// The id of the image behind one that the mount shows; nil when no range holds it. O(ranges).
    public func stored(_ id: UInt32) -> UInt32? {
        for range in ranges where id >= range.host && id - range.host < range.count {
            return range.container + (id - range.host)
        }
        return nil
    }
}

extension IdentityMap: CustomStringConvertible {
    public var description: String {
        ranges.map { "\($0.container):\($0.host):\($0.count)" }.joined(separator: ",")
    }
}
