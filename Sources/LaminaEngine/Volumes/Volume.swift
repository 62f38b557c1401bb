// Volume is what the library says of one volume.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// A volume: a directory of the store that outlives the sandboxes that use it.
public struct Volume: Sendable, Hashable {
    /// The label that Docker gives to volumes that nobody names.
    public static let anonymousLabel = "com.docker.volume.anonymous"

    public var name: String
    /// "local" is the only one.
    public var driver: String
    /// Seconds since the epoch.
    public var created: Int64
    /// Whether nobody gave it a name.
    public var isAnonymous: Bool
    public var labels: [String: String]
    /// As they were given.
    public var options: [String: String]
    /// Names of the sandboxes that have a redirect to it, sorted.
    public var sandboxes: [String]
    /// The directory that holds its files.
    public var directory: ByteString

    init(_ record: VolumeRecord, root: ByteString) {
        name = record.name
        driver = record.driver
        created = record.created
        isAnonymous = record.isAnonymous
        labels = record.labels
        options = record.options
        sandboxes = record.sandboxes
        directory = root.appending(VolumePath.data(of: record.name))
    }
}

extension VolumeRecord {
    /// A new volume; `name` is drawn when nil, and the volume is anonymous then.
    init(new name: String?, labels: [String: String], options: [String: String], now: Int64) {
        var labels = labels
        if name == nil { labels[Volume.anonymousLabel] = "" }
        self.init(
            name: name ?? VolumeName.anonymous(), created: now, isAnonymous: name == nil, labels: labels,
            options: options)
    }
}
