// How much room a store takes, by kind and by thing.

import LaminaCore

/// What a store takes on disk and what could be had back.
public struct DiskUsage: Sendable {
    /// One kind of thing.
    public struct Row: Sendable, Hashable {
        public var total = 0
        /// Images that a sandbox needs, sandboxes that are mounted, volumes that a sandbox has.
        public var active = 0
        /// Bytes on disk.
        public var size: Int64 = 0
        /// What removing all that is not active gives back.
        public var reclaimable: Int64 = 0
    }

    /// Content that an image or a sandbox needs.
    public var images = Row()
    public var sandboxes = Row()
    public var volumes = Row()
    /// Content that nothing needs, and unfinished work.
    public var cache = Row()

    public var size: Int64 { images.size &+ sandboxes.size &+ volumes.size &+ cache.size }
}

/// What one image takes.
public struct ImageUsage: Sendable {
    public var image: Image
    /// Bytes on disk that another image needs too.
    public var shared: Int64
    /// Bytes on disk that go with the image.
    public var unique: Int64
}

/// What one sandbox or volume takes, all of it its own.
public struct SizedThing: Sendable, Hashable {
    /// An id, or a volume's name.
    public var name: String
    /// A sandbox's name, a volume's own.
    public var title: String
    /// How many use it: 1 for a mounted sandbox, for a volume the sandboxes that have it.
    public var links: Int
    /// Bytes on disk.
    public var size: Int64
}

/// Everything in detail.
public struct DetailedDiskUsage: Sendable {
    public var images: [ImageUsage] = []
    public var sandboxes: [SizedThing] = []
    public var volumes: [SizedThing] = []
}
