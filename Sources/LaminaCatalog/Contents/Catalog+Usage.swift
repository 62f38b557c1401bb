// What of the content is needed, and by whom, in sums.

import Foundation
import GRDB
import LaminaCore

/// A sum of bytes on disk by who needs them.
public struct NeededSize: Sendable, Hashable {
    /// Of all.
    public var total: Int64 = 0
    /// Of what an image or a sandbox needs.
    public var referenced: Int64 = 0
    /// Of what a sandbox needs.
    public var active: Int64 = 0
}

/// A layer and who needs it.
public struct LayerUsage: Sendable, Hashable {
    public var diffID: Digest
    /// Bytes on disk without objects.
    public var diskSize: Int64
    public var isReferenced: Bool
    public var isActive: Bool
}

/// What the catalogue says of the store's content without looking at a file.
public struct CatalogUsage: Sendable {
    /// How many images there are, and how many of them a sandbox needs.
    public var images = 0
    public var activeImages = 0
    public var blobs = NeededSize()
    public var chains = NeededSize()
    /// Layers that the catalogue knows.
    public var layers: [LayerUsage] = []
    /// Bytes on disk of layers that it has forgotten.
    public var forgottenLayers: Int64 = 0
    /// Bytes on disk of all objects.
    public var objects: Int64 = 0
}

/// What the catalogue tells of files.
public struct KnownContent: Sendable {
    /// With a size of 0.
    public var contents: Set<ContentRecord> = []
    /// For how many layers each object is counted.
    public var objects: [Digest: Int] = [:]
    public var layers: [Digest] = []
    /// Blobs of layers that were in their place: their size is known.
    public var layerBlobs: [Digest] = []
}

/// An object: its bytes on disk, and how many layers have it.
public struct ObjectUsage: Sendable, Hashable {
    public var diskSize: Int64
    public var layers: Int
}

extension Catalog {
    /// O(images + layers + blobs).
    public func usage() throws(CatalogError) -> CatalogUsage {
        try read { database in
            var usage = CatalogUsage()
            usage.images = try Int.fetchOne(database, sql: "SELECT count(*) FROM image") ?? 0
            usage.activeImages =
                try Int.fetchOne(
                    database, sql: "SELECT count(*) FROM image WHERE id IN (SELECT image FROM imageUse)") ?? 0
            usage.blobs = try Self.needed(
                "blob", referenced: ContentKind.blob.users,
                active: Self.blobsOf("SELECT image FROM imageUse"), in: database)
            usage.chains = try Self.needed(
                "chain",
                referenced: ContentKind.chain.users,
                active: """
                    SELECT chainID FROM sandbox UNION SELECT chainID FROM redirect WHERE chainID IS NOT NULL
                    """, in: database)
            usage.layers = try layers(in: database)
            usage.forgottenLayers =
                try Int64.fetchOne(
                    database,
                    sql: """
                        SELECT coalesce(sum(diskSize), 0) FROM content
                        WHERE kind = 'layer' AND digest NOT IN (SELECT diffID FROM layer)
                        """) ?? 0
            usage.objects = try Self.totals(in: database)[.object]?.diskSize ?? 0
            return usage
        }
    }

    /// The blobs of images by their ids.
    private static func blobsOf(_ images: String) -> String {
        """
        \(images) UNION SELECT digest FROM manifest WHERE image IN (\(images))
        UNION SELECT blob FROM manifestLayer WHERE manifest IN
            (SELECT digest FROM manifest WHERE image IN (\(images)))
        """
    }

    private static func needed(
        _ kind: String, referenced: String, active: String, in database: Database
    ) throws -> NeededSize {
        func sum(_ condition: String) throws -> Int64 {
            try Int64.fetchOne(
                database,
                sql: "SELECT coalesce(sum(diskSize), 0) FROM content WHERE kind = ? AND \(condition)",
                arguments: [kind]) ?? 0
        }
        return NeededSize(
            total: try sum("TRUE"), referenced: try sum("digest IN (\(referenced))"),
            active: try sum("digest IN (\(active))"))
    }

    private func layers(in database: Database) throws -> [LayerUsage] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT diffID, coalesce(diskSize, 0) AS diskSize,
                    diffID IN (SELECT diffID FROM layerUse) AS referenced,
                    diffID IN (SELECT diffID FROM sandboxLayer UNION ALL SELECT diffID FROM redirectLayer)
                        AS active
                FROM layer LEFT JOIN content ON kind = 'layer' AND digest = diffID
                """
        ).map {
            LayerUsage(
                diffID: try $0.decode(forColumn: "diffID"), diskSize: try $0.decode(forColumn: "diskSize"),
                isReferenced: try $0.decode(forColumn: "referenced"),
                isActive: try $0.decode(forColumn: "active"))
        }
    }

    /// What the catalogue says of each of these objects; those that it does not know are left out.
    public func objects(_ digests: some Sequence<Digest>) throws(CatalogError) -> [Digest: ObjectUsage] {
        try read { database in
            let statement = try database.cachedStatement(
                sql: "SELECT diskSize, layers FROM object WHERE digest = ?")
            var result: [Digest: ObjectUsage] = [:]
            for digest in digests {
                guard let row = try Row.fetchOne(statement, arguments: [ContentRecord.key(digest)]) else {
                    continue
                }
                result[digest] = ObjectUsage(
                    diskSize: try row.decode(forColumn: "diskSize"),
                    layers: try row.decode(forColumn: "layers"))
            }
            return result
        }
    }

    /// All content that the catalogue tells of, without sizes, all layers, and how many of them each object is
    /// counted for; all of one instant. O(rows).
    public func knownContent() throws(CatalogError) -> KnownContent {
        try read { database in
            var known = KnownContent()
            for row in try Row.fetchAll(database, sql: "SELECT kind, digest FROM content") {
                guard let kind = ContentKind(rawValue: try row.decode(forColumn: "kind")) else { continue }
                known.contents.insert(ContentRecord(kind, try row.decode(forColumn: "digest")))
            }
            for row in try Row.fetchAll(database, sql: "SELECT digest, layers FROM object") {
                let bytes: Data = try row.decode(forColumn: "digest")
                guard let digest = Digest(bytes: [UInt8](bytes)[...]) else { continue }
                known.contents.insert(ContentRecord(.object, digest))
                known.objects[digest] = try row.decode(forColumn: "layers")
            }
            known.layers = try Digest.fetchAll(database, sql: "SELECT diffID FROM layer")
            known.layerBlobs = try Digest.fetchAll(
                database,
                sql: """
                    SELECT digest FROM content WHERE kind = 'blob' AND diskSize > 0
                    AND digest IN (SELECT digest FROM layerBlob)
                    """)
            return known
        }
    }

    /// Bytes on disk of objects that no layer has.
    public func unusedObjectSize() throws(CatalogError) -> Int64 {
        try read {
            try Int64.fetchOne($0, sql: "SELECT coalesce(sum(diskSize), 0) FROM object WHERE layers = 0") ?? 0
        }
    }

    /// Blobs, layers and the chain of an image. O(its layers).
    public func content(ofImage id: Digest) throws(CatalogError) -> [ContentRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT kind, digest, diskSize FROM content WHERE
                    (kind = 'chain' AND digest = (SELECT chainID FROM image WHERE id = ?1))
                    OR (kind = 'layer' AND digest IN (SELECT diffID FROM imageLayer WHERE image = ?1))
                    OR (kind = 'blob' AND digest IN (\(Self.blobsOf("SELECT ?1"))))
                    """, arguments: [id]
            ).compactMap { row in
                let digest: Digest = try row.decode(forColumn: "digest")
                let size: Int64 = try row.decode(forColumn: "diskSize")
                return ContentKind(rawValue: try row.decode(forColumn: "kind")).map {
                    ContentRecord($0, digest, diskSize: size)
                }
            }
        }
    }
}
