// How the catalogue's file is used: what a commit makes durable, and that looking writes nothing.

import Foundation
import GRDB
import LaminaCore
import Testing

@testable import LaminaCatalog

@Suite struct CatalogModeTests {
    @Test func commitsAreDurable() throws {
        let fixture = try Fixture()
        let mode = try fixture.catalog.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
        // 2 is FULL: the WAL is synced at each commit.
        let synchronous = try fixture.catalog.read { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
        let foreignKeys = try fixture.catalog.read { try Int.fetchOne($0, sql: "PRAGMA foreign_keys") }
        #expect(mode == "wal" && synchronous == 2 && foreignKeys == 1)
    }

    @Test func pagesThatNothingUsesAreGivenBack() throws {
        let catalog = try Fixture().catalog
        func pages(_ what: String) throws -> Int {
            try catalog.read { try Int.fetchOne($0, sql: "PRAGMA \(what)") } ?? -1
        }
        let empty = try pages("page_count")
        try catalog.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)
                    SELECT i, randomblob(3000) FROM n
                    """)
        }
        try catalog.write { try $0.execute(sql: "DROP TABLE filler") }
        #expect(try pages("freelist_count") > 900)
        try catalog.shrink()
        #expect(try pages("page_count") <= empty * 8 / 7 + 2)
        #expect(try catalog.integrity().isEmpty)
    }

    /// A command that only looks must not wait for the disk.
    @Test func lookingWritesNothing() throws {
        let directory = NSTemporaryDirectory() + "lamina-catalog-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/lamina.db"
        do { _ = try Catalog(path: path) }
        let before = try Data(contentsOf: URL(filePath: path))
        let catalog = try Catalog(path: path)
        #expect(try catalog.sandboxes().isEmpty)
        let log = try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int
        #expect(log ?? 0 == 0)
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }
}
