// Image is what the library says of one image in the store.

import LaminaCatalog
import LaminaCore

/// An image: a config, its layers, and the names that lead to it.
public struct Image: Sendable, Hashable {
    /// The digest of the config.
    public var id: Digest
    /// Normalised references, sorted; empty for an image without a name.
    public var references: [String]
    /// Digests of the manifests by which it was loaded, newest first; empty for an image of a
    /// docker-archive, which has none.
    public var manifests: [Digest]
    public var chainID: Digest
    /// Lowest first.
    public var diffIDs: [Digest]
    public var architecture: String
    public var os: String
    public var variant: String?
    /// When it was made, as its config says (RFC 3339).
    public var created: String?
    /// `created` in seconds since the epoch; nil where it is none.
    public var createdSeconds: Int64? { created.flatMap(RFC3339.seconds) }
    /// When this store first got it, in seconds since the epoch.
    public var loaded: Int64
    /// Bytes of config, manifest and layer blobs: what a transfer costs.
    public var contentSize: Int64
    /// Bytes of the uncompressed layers.
    public var unpackedSize: Int64
    /// Bytes that its layers and their kept blobs take; other images may share them.
    public var diskUsage: Int64
    /// Ids of the sandboxes made from it.
    public var sandboxes: [String]

    init(_ record: ImageRecord, contentSize: Int64, unpackedSize: Int64, diskUsage: Int64) {
        id = record.id
        references = record.references
        manifests = record.manifests.map(\.digest)
        chainID = record.chainID
        diffIDs = record.diffIDs
        architecture = record.architecture
        os = record.os
        variant = record.variant
        created = record.created
        loaded = record.loaded
        self.contentSize = contentSize
        self.unpackedSize = unpackedSize
        self.diskUsage = diskUsage
        sandboxes = record.sandboxes
    }
}
