// What the catalogue knows of the store's files.

import Foundation
import GRDB
import LaminaCore

/// The kinds of content that a store has.
public enum ContentKind: String, Sendable, Hashable, CaseIterable {
    case chain, layer, blob, object
}

/// One thing of the store.
public struct ContentRecord: Sendable, Hashable {
    public var kind: ContentKind
    public var digest: Digest
    /// Bytes on disk.
    public var diskSize: Int64

    public init(_ kind: ContentKind, _ digest: Digest, diskSize: Int64 = 0) {
        self.kind = kind
        self.digest = digest
        self.diskSize = diskSize
    }
}

/// How much of one kind there is.
public struct ContentTotal: Sendable, Hashable {
    public var count: Int64 = 0
    /// Bytes on disk.
    public var diskSize: Int64 = 0
}

extension ContentKind {
    /// The digests of content that something needs, as SQL: one column, `digest`.
    var users: String {
        switch self {
        case .layer: "SELECT diffID AS digest FROM layer"
        case .blob: "SELECT digest FROM blobUse"
        case .chain: "SELECT digest FROM chainUse"
        // Objects are counted.
        case .object: "SELECT NULL WHERE FALSE"
        }
    }
}

extension ContentRecord {
    /// How an object's digest stands in its table.
    static func key(_ digest: Digest) -> DatabaseValue { Data(digest.bytes).databaseValue }

    /// Adds the row of something that is not there yet, or notes its size.
    func insert(in database: Database) throws {
        if kind == .object {
            return try database.run(
                """
                INSERT INTO object (digest, diskSize, layers) VALUES (?, ?, 0)
                ON CONFLICT (digest) DO UPDATE SET diskSize = max(diskSize, excluded.diskSize)
                WHERE diskSize < excluded.diskSize
                """, [Self.key(digest), diskSize])
        }
        try database.run(
            """
            INSERT INTO content (kind, digest, diskSize) VALUES (?, ?, ?)
            ON CONFLICT (kind, digest) DO UPDATE SET diskSize = max(diskSize, excluded.diskSize)
            WHERE diskSize < excluded.diskSize
            """, [kind.rawValue, digest, diskSize])
    }

    /// Whether there is a row. O(log rows).
    func isKnown(in database: Database) throws -> Bool {
        if kind == .object {
            return try database.answer(
                "SELECT EXISTS (SELECT 1 FROM object WHERE digest = ?)", [Self.key(digest)]) ?? false
        }
        return try database.answer(
            "SELECT EXISTS (SELECT 1 FROM content WHERE kind = ? AND digest = ?)", [kind.rawValue, digest])
            ?? false
    }

    /// Removes the row.
    func delete(in database: Database) throws {
        if kind == .object {
            return try database.run("DELETE FROM object WHERE digest = ?", [Self.key(digest)])
        }
        try database.run("DELETE FROM content WHERE kind = ? AND digest = ?", [kind.rawValue, digest])
    }

    /// Whether nothing refers to it. O(log rows).
    func isGarbage(in database: Database) throws -> Bool {
        if kind == .object {
            return try database.answer("SELECT layers = 0 FROM object WHERE digest = ?", [Self.key(digest)])
                ?? true
        }
        return try database.answer(
            "SELECT NOT EXISTS (SELECT 1 FROM (\(kind.users)) WHERE digest = ?)", [digest]) ?? false
    }
}

/// These run once for each of many thousand objects: SQLite compiles them once for a connection, with their triggers.
extension Database {
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    fileprivate func answer(_ sql: String, _ arguments: StatementArguments) throws -> Bool? {
        try Bool.fetchOne(try cachedStatement(sql: sql), arguments: arguments)
    }
}
