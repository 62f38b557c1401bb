// Layers and their blobs.

import GRDB
import LaminaCore
import LaminaSystem

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

    /// The diffIDs of all layers, also of those that no image has. O(layers).
    public func layers() throws(CatalogError) -> Set<Digest> {
        try read { Set(try Digest.fetchAll($0, sql: "SELECT diffID FROM layer")) }
    }
}
