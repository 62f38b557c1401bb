// CatalogPruning owns the steps of a prune in the catalogue. Each is one short transaction, so that nobody waits
// long; a rehearsal is one transaction that is taken back.

import Foundation
import GRDB
import LaminaCore
import LaminaSystem

/// What a prune asks the catalogue.
public struct CatalogPruning {
    private enum Mode {
        case real(Catalog)
        case rehearsal(Database)
    }

    private let mode: Mode

    /// Things of one step: what a transaction of a few milliseconds can do.
    public static let stepSize = 512
    /// Layers of one step, each of which may have thousands of objects.
    private static let layersOfStep = 4

    private func step<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        switch mode {
        case .real(let catalog): return try catalog.write(body)
        case .rehearsal(let database):
            do { return try body(database) } catch { throw CatalogError(error) }
        }
    }

    /// Images that no sandbox needs, the one longest unused first. O(images).
    public func unusedImages() throws(CatalogError) -> [UnusedImage] {
        try step { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM image WHERE id NOT IN (SELECT image FROM imageUse) ORDER BY used, loaded, id
                    """
            ).map { row in
                let id: Digest = try row.decode(forColumn: "id")
                return UnusedImage(
                    id: id,
                    references: try String.fetchAll(
                        database, sql: "SELECT reference FROM tag WHERE image = ? ORDER BY reference",
                        arguments: [id]),
                    created: try row.decode(forColumn: "created"),
                    loaded: try row.decode(forColumn: "loaded"),
                    used: try row.decode(forColumn: "used"))
            }
        }
    }

    /// Removes an image, if it is still unused and has no other names; whether it did.
    public func remove(_ image: UnusedImage) throws(CatalogError) -> Bool {
        try step { database in
            let references = try String.fetchAll(
                database, sql: "SELECT reference FROM tag WHERE image = ? ORDER BY reference",
                arguments: [image.id])
            guard references == image.references else { return false }
            try database.execute(
                sql: "DELETE FROM image WHERE id = ? AND id NOT IN (SELECT image FROM imageUse)",
                arguments: [image.id])
            return database.changesCount > 0
        }
    }

    /// Ends the claims of those who are gone.
    public func endClaims(isGone: (String) -> Bool) throws(CatalogError) {
        try step { database in
            let owners = try String.fetchAll(database, sql: "SELECT DISTINCT owner FROM claim")
            for owner in owners where isGone(owner) { try Catalog.endClaims(of: owner, in: database) }
        }
    }

    /// Forgets layers that nothing needs and nobody claims, a few of them; whether there were any. `objects`
    /// says which a layer has, each once, or nil when that is lost.
    public func forgetLayers(
        objects: (Digest) -> [Digest]?
    ) throws(CatalogError) -> Bool {
        try step { database in
            let unused = try Digest.fetchAll(
                database,
                sql: """
                    SELECT diffID FROM layer WHERE diffID NOT IN (SELECT diffID FROM layerUse)
                    AND diffID NOT IN (SELECT diffID FROM claim) LIMIT ?
                    """, arguments: [Self.layersOfStep])
            for diffID in unused { try Self.forget(diffID, objects, in: database) }
            return !unused.isEmpty
        }
    }

    static func forget(
        _ diffID: Digest, _ objects: (Digest) -> [Digest]?, in database: Database
    ) throws {
        let found = objects(diffID)
        // Which objects it had is lost: who prunes next counts anew.
        if found == nil { try database.execute(sql: "DELETE FROM accounted") }
        for object in found ?? [] {
            try database.run(
                "UPDATE object SET layers = layers - 1 WHERE digest = ? AND layers > 0",
                [ContentRecord.key(object)])
        }
        try database.execute(sql: "DELETE FROM layer WHERE diffID = ?", arguments: [diffID])
    }

    /// Forgets content of one kind that nothing refers to, at most `stepSize`, and says what it was; empty
    /// when there is no more. `retire` is called for each within the transaction.
    public func forgetContent(
        _ kind: ContentKind, retire: (ContentRecord) throws(Errno) -> Void
    ) throws(CatalogError) -> [ContentRecord] {
        try step { database in
            let garbage = try Self.garbage(kind, in: database)
            for content in garbage {
                do throws(Errno) { try retire(content) } catch { throw error }
                try content.delete(in: database)
            }
            return garbage
        }
    }

    /// Forgets the files of layers' blobs, at most `stepSize`, and says what they were: the layers give their tars
    /// back.
    public func dropLayerBlobs(
        retire: (ContentRecord) throws(Errno) -> Void
    ) throws(CatalogError) -> [ContentRecord] {
        try step { database in
            let blobs = try Row.fetchAll(
                database,
                sql: """
                    SELECT digest, diskSize FROM content WHERE kind = 'blob'
                    AND digest IN (SELECT digest FROM layerBlob) LIMIT ?
                    """, arguments: [Self.stepSize]
            ).map {
                ContentRecord(
                    .blob, try $0.decode(forColumn: "digest"), diskSize: try $0.decode(forColumn: "diskSize"))
            }
            for blob in blobs {
                do throws(Errno) { try retire(blob) } catch { throw error }
                try blob.delete(in: database)
            }
            return blobs
        }
    }

    /// Forgets blobs of layers that a load told of and never brought, at most `stepSize`: it was killed, or found them
    /// dropped. Nobody knew their size. `isThere` is asked within the transaction.
    public func forgetAbsentBlobs(isThere: (Digest) throws(Errno) -> Bool) throws(CatalogError) {
        try step { database in
            let blobs = try Digest.fetchAll(
                database,
                sql: """
                    SELECT digest FROM content WHERE kind = 'blob' AND diskSize = 0
                    AND digest IN (SELECT digest FROM layerBlob) LIMIT ?
                    """, arguments: [Self.stepSize])
            for blob in blobs {
                let isAbsent: Bool
                do throws(Errno) { isAbsent = try !isThere(blob) } catch { throw error }
                if isAbsent { try ContentRecord(.blob, blob).delete(in: database) }
            }
        }
    }

    private static func garbage(_ kind: ContentKind, in database: Database) throws -> [ContentRecord] {
        if kind == .object {
            return try Row.fetchAll(
                database, sql: "SELECT digest, diskSize FROM object WHERE layers = 0 LIMIT ?",
                arguments: [stepSize]
            ).compactMap { row in
                let bytes: Data = try row.decode(forColumn: "digest")
                return Digest(bytes: [UInt8](bytes)[...]).map {
                    ContentRecord(.object, $0, diskSize: (try? row.decode(forColumn: "diskSize")) ?? 0)
                }
            }
        }
        return try Row.fetchAll(
            database,
            sql:
                "SELECT digest, diskSize FROM content WHERE kind = ? AND digest NOT IN (\(kind.users)) LIMIT ?",
            arguments: [kind.rawValue, stepSize]
        ).map {
            ContentRecord(
                kind, try $0.decode(forColumn: "digest"), diskSize: try $0.decode(forColumn: "diskSize"))
        }
    }

    /// Runs `body` where nobody can add a sandbox or a volume; it gets the ids and names of those there are.
    public func besides<Value>(
        _ body: (_ sandboxes: Set<String>, _ volumes: Set<String>) throws(Errno) -> Value
    ) throws(CatalogError) -> Value {
        try step { database in
            let sandboxes = Set(try String.fetchAll(database, sql: "SELECT id FROM sandbox"))
            let volumes = Set(try String.fetchAll(database, sql: "SELECT name FROM volume"))
            do throws(Errno) { return try body(sandboxes, volumes) } catch { throw error }
        }
    }

    /// How much content there is now. O(1).
    public func totals() throws(CatalogError) -> [ContentKind: ContentTotal] {
        try step { try Catalog.totals(in: $0) }
    }
}

extension CatalogPruning {
    init(_ catalog: Catalog) { mode = .real(catalog) }

    init(_ database: Database) { mode = .rehearsal(database) }
}
