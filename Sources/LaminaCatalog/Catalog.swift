// Catalog owns the store's database: the one place that says which images, layers and
// sandboxes exist. A row appears only after the files it names are durable, and goes
// before they are removed, so that a crash leaves unreferenced files and never a
// reference to nothing.

import Foundation
import GRDB
import Glibc
import LaminaCore
import LaminaSystem

/// The catalogue of one store: `<root>/lamina.db`, SQLite in WAL mode.
///
/// Safe to use from many threads and processes: writers queue, for at most the busy timeout.
public final class Catalog: Sendable {
    let queue: DatabaseQueue

    /// Opens or creates the catalogue at `path` and brings its tables up to date.
    ///
    /// Throws `newerSchema` for a file that a later version wrote; nothing is changed then.
    public init(path: String) throws(CatalogError) {
        do {
            var configuration = Configuration()
            configuration.label = "lamina.catalog"
            configuration.foreignKeysEnabled = true
            configuration.busyMode = .timeout(20)
            // Not by GRDB's `journalMode`: that sets `synchronous` to NORMAL behind this, and makes and
            // drops a table whenever the WAL is empty, so that each command would write and sync.
            configuration.prepareDatabase { database in
                // See `shrink`. Counts only before anything is written; on an older file it would write.
                if try Int.fetchOne(database, sql: "PRAGMA page_count") == 0 {
                    try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                }
                try database.execute(sql: "PRAGMA journal_mode = WAL")
                // FULL: a commit that was reported is on the disk.
                try database.execute(sql: "PRAGMA synchronous = FULL")
            }
            let lock = Self.openingLock(of: path)
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrate(queue, path: path)
            _ = consume lock
        } catch {
            throw CatalogError(error)
        }
    }

    /// Processes open a catalogue one after the other (`flock(2)` on its directory, for milliseconds):
    /// switching a new file to WAL mode and making its tables answer "busy" or "no such table" to
    /// another that does the same. Without the directory SQLite says what is wrong.
    private static func openingLock(of path: String) -> Descriptor? {
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        guard let lock = try? Descriptor.open(ByteString(String(directory)), O_RDONLY | O_DIRECTORY) else {
            return nil
        }
        try? lock.lock(exclusive: true)
        return lock
    }

    private static func migrate(_ queue: DatabaseQueue, path: String) throws {
        let migrator = Schema.migrator
        if try queue.read(migrator.hasBeenSuperseded) { throw CatalogError.newerSchema(path: path) }
        if try queue.read(migrator.hasCompletedMigrations) { return }
        let applied = try queue.read(migrator.appliedMigrations)
        if !applied.isEmpty { try backUp(queue, to: "\(path).before-\(applied.count + 1)") }
        do {
            try migrator.migrate(queue)
        } catch {
            // Another process may have run the same migration between the two looks.
            guard try queue.read(migrator.hasCompletedMigrations) else { throw error }
        }
    }

    /// Keeps the catalogue as an older version left it. A copy from an earlier try gives way.
    private static func backUp(_ queue: DatabaseQueue, to path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
    }

    /// What SQLite finds wrong with the file, and rows that refer to nothing; empty when all is right. O(rows).
    public func integrity() throws(CatalogError) -> [String] {
        try read { database in
            let words = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            let lost = try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").count
            return words + (lost > 0 ? ["\(lost) rows refer to nothing"] : [])
        }
    }

    /// Gives pages that nothing uses back to the filesystem, but for an eighth of the file, which the next load
    /// takes. In transactions of milliseconds; O(free pages). A file from before there was this stays as it is.
    public func shrink() throws(CatalogError) {
        while true {
            let isDone = try write { database in
                let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
                let all = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
                let isIncremental = try Int.fetchOne(database, sql: "PRAGMA auto_vacuum") == 2
                guard isIncremental, free > all / 8 else { return true }
                // Each row of the answer is a page.
                _ = try Row.fetchAll(database, sql: "PRAGMA incremental_vacuum(\(Self.pagesAtOnce))")
                return try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0 >= free
            }
            if isDone { return }
        }
    }

    private static let pagesAtOnce = 128

    /// Runs `body` in a read transaction.
    func read<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        do { return try queue.read(body) } catch { throw CatalogError(error) }
    }

    /// Runs `body` in one write transaction; an error rolls all of it back.
    func write<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        do {
            return try queue.write { database in
                let value = try body(database)
                try FaultInjection.check(.commit)
                return value
            }
        } catch {
            throw CatalogError(error)
        }
    }
}
