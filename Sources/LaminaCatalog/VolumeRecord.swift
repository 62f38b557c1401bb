// VolumeRecord is the row of a volume as a plain value.

/// A volume: a directory of the store that outlives the sandboxes that use it.
public struct VolumeRecord: Sendable, Hashable {
    public var name: String
    /// "local" is the only one.
    public var driver: String
    /// Seconds since the epoch.
    public var created: Int64
    /// Whether nobody gave it a name.
    public var isAnonymous: Bool
    public var labels: [String: String]
    /// As they were given with `-o`.
    public var options: [String: String]
    /// Bytes that it may hold; nil for no bound.
    public var size: Int64?
    /// Names of the sandboxes that have a redirect to it, sorted.
    public var sandboxes: [String] = []

    public init(
        name: String, driver: String = "local", created: Int64, isAnonymous: Bool = false,
        labels: [String: String] = [:], options: [String: String] = [:], size: Int64? = nil
    ) {
        self.name = name
        self.driver = driver
        self.created = created
        self.isAnonymous = isAnonymous
        self.labels = labels
        self.options = options
        self.size = size
    }
}
