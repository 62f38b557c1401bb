// Layers, their blobs, and what is still referenced.

import GRDB
import LaminaCore

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
                diffID: diffID, tarSize: row["tarSize"], streamSize: row["streamSize"],
                entryCount: row["entryCount"],
                blobs: blobs.map { LayerBlobRecord(digest: $0["digest"], size: $0["size"]) })
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

    /// Forgets every layer that no image and no sandbox has, and returns what is referenced
    /// after that. The caller removes their files next, with the store's lock held alone.
    public func removeUnusedLayers() throws(CatalogError) -> CatalogReferences {
        try write { database in
            try database.execute(
                sql: """
                    DELETE FROM layer WHERE diffID NOT IN (SELECT diffID FROM imageLayer)
                    AND diffID NOT IN (SELECT diffID FROM sandboxLayer)
                    """)
            return try Self.references(in: database)
        }
    }

    private static func references(in database: Database) throws -> CatalogReferences {
        var result = CatalogReferences()
        result.diffIDs = Set(
            try Digest.fetchAll(
                database, sql: "SELECT diffID FROM imageLayer UNION SELECT diffID FROM sandboxLayer"))
        result.blobs = Set(
            try Digest.fetchAll(
                database,
                sql: """
                    SELECT id FROM image UNION SELECT digest FROM manifest UNION SELECT blob FROM manifestLayer
                    """))
        result.chainIDs = Set(
            try Digest.fetchAll(
                database, sql: "SELECT chainID FROM image UNION SELECT chainID FROM sandbox"))
        result.sandboxes = Set(try String.fetchAll(database, sql: "SELECT id FROM sandbox"))
        return result
    }
}
