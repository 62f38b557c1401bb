// What comes into the store. Its rows are written before its files get their places, so that a crash leaves
// nothing that prune would have to search for.

import Foundation
import GRDB
import LaminaCore
import LaminaSystem

/// What a layer takes on disk, found out when it is in its place.
public struct LayerContents: Sendable {
    /// The layer itself, and its blob where that is kept.
    public var files: [ContentRecord]
    /// Each of its objects once.
    public var objects: [ContentRecord]

    public init(files: [ContentRecord], objects: [ContentRecord]) {
        self.files = files
        self.objects = objects
    }
}

extension Catalog {
    /// Runs `place`, which gives `contents` their places, while the catalogue tells of them all and no prune can have
    /// it forget one. O(contents), with the write lock.
    public func whileKnown(_ contents: [ContentRecord], _ place: () -> Void) throws(CatalogError) {
        try write(knowing: contents) { _ in place() }
    }

    /// Runs `body` in a write transaction before which the rows of `contents` were there, for good: what a crash
    /// leaves in its place then has one. A prune may take rows away as long as nothing is in their places, so that they
    /// are looked at where it cannot.
    func write<Value>(
        knowing contents: [ContentRecord], _ body: (Database) throws -> Value
    ) throws(CatalogError) -> Value {
        for _ in 0..<Self.mostAnnouncements {
            let value: Value? = try write { database in
                let unknown = try contents.filter { try !$0.isKnown(in: database) }
                if unknown.isEmpty { return try body(database) }
                for content in unknown { try content.insert(in: database) }
                return nil
            }
            if let value { return value }
        }
        throw .busy
    }

    /// So often a prune can come between two transactions, and no more.
    private static let mostAnnouncements = 1_000

    /// Keeps those of `diffIDs` that are known from being pruned, for as long as `owner` is at work.
    public func claim(_ diffIDs: [Digest], owner: String) throws(CatalogError) {
        try write { database in
            for diffID in diffIDs {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO claim SELECT ?, diffID FROM layer WHERE diffID = ?",
                    arguments: [owner, diffID])
            }
        }
    }

    /// Who claims which layers, the living and the dead.
    public func claims() throws(CatalogError) -> [Digest: [String]] {
        try read { database in
            var result: [Digest: [String]] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT owner, diffID FROM claim") {
                result[try row.decode(forColumn: "diffID"), default: []].append(
                    try row.decode(forColumn: "owner"))
            }
            return result
        }
    }

    /// The claims of `owner` end.
    public func endClaims(of owner: String) throws(CatalogError) {
        try write { database in try Self.endClaims(of: owner, in: database) }
    }

    static func endClaims(of owner: String, in database: Database) throws {
        try database.execute(sql: "DELETE FROM claim WHERE owner = ?", arguments: [owner])
    }

    /// Adds a layer that is in its place, unless it is known, and claims it for `owner`. `contents` is what it
    /// consists of.
    ///
    /// `secure` gives back what was pruned of it meanwhile, says what it takes, and is called within the
    /// transaction; when it throws nothing is changed.
    public func add(
        _ layer: LayerRecord, of contents: [ContentRecord] = [], owner: String,
        secure: () throws(Errno) -> LayerContents
    ) throws(CatalogError) {
        try write(knowing: contents) { database in
            let contents: LayerContents
            do throws(Errno) { contents = try secure() } catch { throw error }
            let isNew = try Self.insert(layer, in: database)
            for content in contents.files { try content.insert(in: database) }
            for object in contents.objects {
                try object.insert(in: database)
                guard isNew else { continue }
                try database.run(
                    "UPDATE object SET layers = layers + 1 WHERE digest = ?",
                    [ContentRecord.key(object.digest)])
            }
            try database.execute(
                sql: "INSERT OR IGNORE INTO claim VALUES (?, ?)", arguments: [owner, layer.diffID])
        }
    }

    /// Adds a blob of a layer that is known.
    public func add(_ blob: LayerBlobRecord, of diffID: Digest) throws(CatalogError) {
        try write { database in
            try database.execute(
                sql: "INSERT OR IGNORE INTO layerBlob (digest, diffID, size) VALUES (?, ?, ?)",
                arguments: [blob.digest, diffID, blob.size])
        }
    }

    /// How much there is of each kind. O(1).
    public func totals() throws(CatalogError) -> [ContentKind: ContentTotal] {
        try read { try Self.totals(in: $0) }
    }

    static func totals(in database: Database) throws -> [ContentKind: ContentTotal] {
        var result: [ContentKind: ContentTotal] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT * FROM contentTotal") {
            guard let kind = ContentKind(rawValue: try row.decode(forColumn: "kind")) else { continue }
            result[kind] = ContentTotal(
                count: try row.decode(forColumn: "count"), diskSize: try row.decode(forColumn: "diskSize"))
        }
        return result
    }

    /// Whether the tables tell of everything that the store has.
    public func isAccounted() throws(CatalogError) -> Bool {
        try read { try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM accounted)") ?? false }
    }

    /// Replaces all that the tables tell of files by what was found: `contents` in the rooms, and `objects`
    /// for each layer. `find` is called within the transaction. O(rows).
    public func account(
        _ find: (_ layers: [Digest]) throws(Errno) -> (contents: [ContentRecord], objects: [Digest: [Digest]])
    ) throws(CatalogError) {
        try write { database in
            let layers = try Digest.fetchAll(database, sql: "SELECT diffID FROM layer")
            let found: (contents: [ContentRecord], objects: [Digest: [Digest]])
            do throws(Errno) { found = try find(layers) } catch { throw error }
            try database.execute(sql: "DELETE FROM content; DELETE FROM object")
            for content in found.contents { try content.insert(in: database) }
            for object in found.objects.values.joined() {
                try ContentRecord(.object, object).insert(in: database)
                try database.run(
                    "UPDATE object SET layers = layers + 1 WHERE digest = ?", [ContentRecord.key(object)])
            }
            try database.execute(sql: "INSERT OR IGNORE INTO accounted VALUES (1)")
        }
    }
}
