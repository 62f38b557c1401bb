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
