// Forgetting what nobody needs: by a prune, by a load that failed, by a repair.

import GRDB
import LaminaCore
import LaminaSystem

extension Catalog {
    /// The steps of a prune, each of which counts at once.
    public var pruning: CatalogPruning { CatalogPruning(self) }

    /// Runs the steps of a prune on a copy of the catalogue in memory, so that nobody waits for it. O(catalogue) time
    /// and memory. Throws what `body` does, or a `CatalogError`.
    public func rehearse(_ body: (CatalogPruning) throws -> Void) throws {
        do {
            let copy = try DatabaseQueue()
            try queue.backup(to: copy)
            try copy.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA foreign_keys = ON")
                try database.inTransaction {
                    try body(CatalogPruning(database))
                    return .rollback
                }
            }
        } catch let error as DatabaseError {
            throw CatalogError(error as any Error)
        }
    }

    /// Forgets the file of a blob that a layer gives back; whether it is one. `retire` is called within the
    /// transaction.
    public func dropLayerBlob(_ blob: Digest, retire: () throws(Errno) -> Void) throws(CatalogError) -> Bool {
        try write { database in
            let isLayers = try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM layerBlob WHERE digest = ?)", arguments: [blob])
            guard isLayers == true else { return false }
            do throws(Errno) { try retire() } catch { throw error }
            try ContentRecord(.blob, blob).delete(in: database)
            return true
        }
    }

    /// Calls `giveBack` for those of `volumes` that the catalogue tells of, within a transaction.
    public func keep(
        volumes: [String], giveBack: (String) throws(Errno) -> Void
    ) throws(CatalogError) {
        try write { database in
            for name in volumes {
                let isKnown = try Bool.fetchOne(
                    database, sql: "SELECT EXISTS (SELECT 1 FROM volume WHERE name = ?)", arguments: [name])
                guard isKnown == true else { continue }
                do throws(Errno) { try giveBack(name) } catch { throw error }
            }
        }
    }

    /// Calls `giveBack` for those of `blobs` that the catalogue tells of, within a transaction.
    public func keep(_ blobs: [Digest], giveBack: (Digest) throws(Errno) -> Void) throws(CatalogError) {
        try write { database in
            for blob in blobs {
                let isKnown = try Bool.fetchOne(
                    database, sql: "SELECT EXISTS (SELECT 1 FROM content WHERE kind = 'blob' AND digest = ?)",
                    arguments: [blob])
                guard isKnown == true else { continue }
                do throws(Errno) { try giveBack(blob) } catch { throw error }
            }
        }
    }

    /// Forgets those of `diffIDs` that nothing needs and nobody else claims, and of `contents` what nothing
    /// refers to then: what a failed load brought.
    public func takeBack(
        _ diffIDs: [Digest], _ contents: [ContentRecord], owner: String,
        objects: (Digest) -> [Digest]?, retire: (ContentRecord) throws(Errno) -> Void
    ) throws(CatalogError) {
        try write { database in
            try Self.endClaims(of: owner, in: database)
            for diffID in diffIDs {
                let isUsed = try Bool.fetchOne(
                    database,
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM layerUse WHERE diffID = ?1
                            UNION ALL SELECT 1 FROM claim WHERE diffID = ?1)
                        """, arguments: [diffID])
                if isUsed == false { try CatalogPruning.forget(diffID, objects, in: database) }
            }
            for content in contents where try content.isGarbage(in: database) {
                do throws(Errno) { try retire(content) } catch { throw error }
                try content.delete(in: database)
            }
        }
    }
}
