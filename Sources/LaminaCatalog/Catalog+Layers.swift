// Layers, their blobs, and what is still referenced.

import GRDB
import LaminaCore
import LaminaSystem

/// Everything that images and sandboxes name; the rest of the store is garbage.
public struct CatalogReferences: Sendable {
    /// Layers that an image or a sandbox has.
    public var diffIDs: Set<Digest> = []
    /// Configs, manifests and the layer blobs that manifests list.
    public var blobs: Set<Digest> = []
    /// Chains of images and sandboxes.
    public var chainIDs: Set<Digest> = []
    /// Ids of sandboxes.
    public var sandboxes: Set<String> = []
    /// Names of volumes.
    public var volumes: Set<String> = []
}

/// What `removeUnused` forgot, and what it left.
public struct CatalogUnused: Sendable {
    public var images: [Digest] = []
    /// Normalised references of these images.
    public var references: [String] = []
    public var kept = CatalogReferences()
}

extension Catalog {
    /// The layer with this diffID and the blobs known for it.
    public func layer(_ diffID: Digest) throws(CatalogError) -> LayerRecord? {
        try read { database in
            guard
                let row = try Row.fetchOne(
                    database, sql: "SELECT * FROM layer WHERE diffID = ?", arguments: [diffID])
            else { return nil }
            let blobs = try Row.fetchAll(
                database, sql: "SELECT digest, size FROM layerBlob WHERE diffID = ? ORDER BY digest",
                arguments: [diffID])
            return LayerRecord(
                diffID: diffID, tarSize: try row.decode(forColumn: "tarSize"),
                streamSize: try row.decode(forColumn: "streamSize"),
                entryCount: try row.decode(forColumn: "entryCount"),
                blobs: try blobs.map {
                    LayerBlobRecord(
                        digest: try $0.decode(forColumn: "digest"), size: try $0.decode(forColumn: "size"))
                })
        }
    }

    static func insert(_ layer: LayerRecord, in database: Database) throws {
        try database.execute(
            sql: "INSERT OR IGNORE INTO layer (diffID, tarSize, streamSize, entryCount) VALUES (?, ?, ?, ?)",
            arguments: [layer.diffID, layer.tarSize, layer.streamSize, layer.entryCount])
        for blob in layer.blobs {
            try database.execute(
                sql: "INSERT OR IGNORE INTO layerBlob (digest, diffID, size) VALUES (?, ?, ?)",
                arguments: [blob.digest, layer.diffID, blob.size])
        }
    }

    /// What is referenced now. O(rows).
    public func references() throws(CatalogError) -> CatalogReferences {
        try read { try Self.references(in: $0) }
    }

    /// Forgets every layer that no image and no sandbox has, and before that, with `images`,
    /// every image that no sandbox has. The caller removes the files next, with the store's lease
    /// held alone. With `dryRun` nothing is changed.
    public func removeUnused(images: Bool = false, dryRun: Bool = false) throws(CatalogError) -> CatalogUnused
    {
        do {
            return try queue.writeWithoutTransaction { database in
                var result = CatalogUnused()
                try database.inTransaction(.immediate) {
                    if images { try Self.removeUnusedImages(in: database, &result) }
                    try database.execute(
                        sql: """
                            DELETE FROM layer WHERE diffID NOT IN (SELECT diffID FROM layerUse)
                            """)
                    result.kept = try Self.references(in: database)
                    try FaultInjection.check(.commit)
                    return dryRun ? .rollback : .commit
                }
                return result
            }
        } catch {
            throw CatalogError(error)
        }
    }

    /// Forgets those of `diffIDs` that no image and no sandbox has. The caller removes the files next,
    /// with the store's lease held alone.
    public func removeUnused(layers diffIDs: [Digest]) throws(CatalogError) {
        try write { database in
            for diffID in diffIDs {
                try database.execute(
                    sql: """
                        DELETE FROM layer WHERE diffID = ? AND diffID NOT IN (SELECT diffID FROM layerUse)
                        """, arguments: [diffID])
            }
        }
    }

    /// The diffIDs of all layers, also of those that no image has. O(layers).
    public func layers() throws(CatalogError) -> Set<Digest> {
        try read { Set(try Digest.fetchAll($0, sql: "SELECT diffID FROM layer")) }
    }

    private static func removeUnusedImages(in database: Database, _ result: inout CatalogUnused) throws {
        let unused = "image NOT IN (SELECT image FROM imageUse)"
        result.references = try String.fetchAll(
            database, sql: "SELECT reference FROM tag WHERE \(unused) ORDER BY reference")
        result.images = try Digest.fetchAll(
            database, sql: "SELECT id FROM image WHERE id NOT IN (SELECT image FROM imageUse) ORDER BY id")
        try database.execute(sql: "DELETE FROM image WHERE id NOT IN (SELECT image FROM imageUse)")
    }

    private static func references(in database: Database) throws -> CatalogReferences {
        var result = CatalogReferences()
        result.diffIDs = Set(
            try Digest.fetchAll(database, sql: "SELECT DISTINCT diffID FROM layerUse"))
        result.blobs = Set(
            try Digest.fetchAll(
                database,
                sql: """
                    SELECT id FROM image UNION SELECT digest FROM manifest UNION SELECT blob FROM manifestLayer
                    """))
        result.chainIDs = Set(
            try Digest.fetchAll(
                database,
                sql: """
                    SELECT chainID FROM image UNION SELECT chainID FROM sandbox
                    UNION SELECT chainID FROM redirect WHERE chainID IS NOT NULL
                    """))
        result.sandboxes = Set(try String.fetchAll(database, sql: "SELECT id FROM sandbox"))
        result.volumes = Set(try String.fetchAll(database, sql: "SELECT name FROM volume"))
        return result
    }
}
