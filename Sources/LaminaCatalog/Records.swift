// The rows of the catalogue as plain values. Times are seconds since the epoch; lists
// of layers are lowest first.

import GRDB
import LaminaCore

/// An unpacked layer.
public struct LayerRecord: Sendable, Hashable {
    public var diffID: Digest
    /// Bytes of the uncompressed tar.
    public var tarSize: Int64
    /// Bytes of the layer's `stream`.
    public var streamSize: Int64
    public var entryCount: Int64
    /// Blobs known to unpack to this layer.
    public var blobs: [LayerBlobRecord]

    public init(
        diffID: Digest, tarSize: Int64, streamSize: Int64, entryCount: Int64, blobs: [LayerBlobRecord] = []
    ) {
        self.diffID = diffID
        self.tarSize = tarSize
        self.streamSize = streamSize
        self.entryCount = entryCount
        self.blobs = blobs
    }
}

/// A blob that was verified to unpack to a layer.
public struct LayerBlobRecord: Sendable, Hashable {
    public var digest: Digest
    /// Bytes.
    public var size: Int64

    public init(digest: Digest, size: Int64) {
        self.digest = digest
        self.size = size
    }
}

/// A manifest by which an image was loaded.
public struct ManifestRecord: Sendable, Hashable {
    public var digest: Digest
    public var mediaType: String
    /// Bytes of the manifest.
    public var size: Int64
    /// The layers' blobs, lowest first.
    public var blobs: [Digest]

    public init(digest: Digest, mediaType: String, size: Int64, blobs: [Digest]) {
        self.digest = digest
        self.mediaType = mediaType
        self.size = size
        self.blobs = blobs
    }
}

/// An image: what its config says of it.
public struct ImageRecord: Sendable, Hashable {
    /// The digest of the config.
    public var id: Digest
    public var chainID: Digest
    public var architecture: String
    public var os: String
    public var variant: String?
    /// The config's own `created`, as it stands there (RFC 3339).
    public var created: String?
    /// Bytes of the config.
    public var configSize: Int64
    /// When this store first got the image.
    public var loaded: Int64
    /// Lowest first.
    public var diffIDs: [Digest]
    /// Newest first.
    public var manifests: [ManifestRecord] = []
    /// Normalised references, sorted.
    public var references: [String] = []
    /// Ids of the sandboxes made from it or with a redirect to it, oldest first.
    public var sandboxes: [String] = []

    public init(
        id: Digest, chainID: Digest, architecture: String, os: String, variant: String? = nil,
        created: String? = nil, configSize: Int64, loaded: Int64, diffIDs: [Digest]
    ) {
        self.id = id
        self.chainID = chainID
        self.architecture = architecture
        self.os = os
        self.variant = variant
        self.created = created
        self.configSize = configSize
        self.loaded = loaded
        self.diffIDs = diffIDs
    }
}

/// A sandbox: one writable layer on an image's chain.
public struct SandboxRecord: Sendable, Hashable {
    /// 64 lowercase hexadecimal digits.
    public var id: String
    public var name: String
    /// The image it was made from, which may have been removed by force since.
    public var image: Digest
    /// What the user called the image.
    public var imageName: String
    public var chainID: Digest
    public var created: Int64
    /// Where it was last mounted and not unmounted; a hint, the server's lock is the truth.
    public var mountpoint: String?
    public var readOnly: Bool
    /// Lowest first.
    public var diffIDs: [Digest]
    /// In the order in which they were given.
    public var redirects: [Redirect] = []

    public init(
        id: String, name: String, image: Digest, imageName: String, chainID: Digest, created: Int64,
        diffIDs: [Digest]
    ) {
        self.id = id
        self.name = name
        self.image = image
        self.imageName = imageName
        self.chainID = chainID
        self.created = created
        self.mountpoint = nil
        self.readOnly = false
        self.diffIDs = diffIDs
    }
}

/// Digests stand in the tables as `sha256:` and 64 digits, readable in any SQLite shell.
extension Digest: DatabaseValueConvertible {
    public var databaseValue: DatabaseValue { description.databaseValue }

    public static func fromDatabaseValue(_ value: DatabaseValue) -> Digest? {
        String.fromDatabaseValue(value).flatMap { Digest($0) }
    }
}
