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

    /// Whether the row is new.
    @discardableResult
    static func insert(_ layer: LayerRecord, in database: Database) throws -> Bool {
        try database.execute(
            sql: "INSERT OR IGNORE INTO layer (diffID, tarSize, streamSize, entryCount) VALUES (?, ?, ?, ?)",
            arguments: [layer.diffID, layer.tarSize, layer.streamSize, layer.entryCount])
        let isNew = database.changesCount > 0
        for blob in layer.blobs {
            try database.execute(
                sql: "INSERT OR IGNORE INTO layerBlob (digest, diffID, size) VALUES (?, ?, ?)",
                arguments: [blob.digest, layer.diffID, blob.size])
        }
        return isNew
    }

    /// What is referenced now. O(rows).
    public func references() throws(CatalogError) -> CatalogReferences {
        try read { try Self.references(in: $0) }
    }

    /// The diffIDs of all layers, also of those that no image has. O(layers).
    public func layers() throws(CatalogError) -> Set<Digest> {
        try read { Set(try Digest.fetchAll($0, sql: "SELECT diffID FROM layer")) }
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
