// Volumes and who uses them. A volume's directory takes its name, and loses it, within the transaction
// that changes the row, so that no two processes are at work on one name.

import GRDB
import LaminaCore

extension Catalog {
    /// All volumes by name. O(volumes).
    public func volumes() throws(CatalogError) -> [VolumeRecord] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM volume ORDER BY name")
                .map { try Self.volume($0, in: database) }
        }
    }

    /// The volume of this name.
    public func volume(_ name: String) throws(CatalogError) -> VolumeRecord? {
        try read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM volume WHERE name = ?", arguments: [name])
                .map { try Self.volume($0, in: database) }
        }
    }

    /// Adds a volume, unless there is one of its name; whether it was added.
    ///
    /// `place` gives the volume's directory its name, durably, just before the commit.
    public func add(
        _ volume: VolumeRecord, place: (String) throws(Errno) -> Void
    ) throws(CatalogError) -> Bool {
        try write { database in
            guard try Self.insert(volume, in: database) else { return false }
            try Self.move(volume.name, place)
            return true
        }
    }

    /// Removes a volume. Throws `noVolume`, and `volumeInUse` while a sandbox has a redirect to it.
    ///
    /// `moveAway` takes the name from the volume's directory, just before the commit.
    public func removeVolume(
        _ name: String, moveAway: (String) throws(Errno) -> Void
    ) throws(CatalogError) {
        try write { database in
            let users = try Self.users(of: name, in: database)
            if !users.isEmpty { throw CatalogError.volumeInUse(name, sandboxes: users) }
            try database.execute(sql: "DELETE FROM volume WHERE name = ?", arguments: [name])
            if database.changesCount == 0 { throw CatalogError.noVolume(name) }
            try Self.move(name, moveAway)
        }
    }

    /// Whether the row is new.
    static func insert(_ volume: VolumeRecord, in database: Database) throws -> Bool {
        try database.execute(
            sql:
                "INSERT OR IGNORE INTO volume (name, driver, created, anonymous, size) VALUES (?, ?, ?, ?, ?)",
            arguments: [volume.name, volume.driver, volume.created, volume.isAnonymous, volume.size])
        guard database.changesCount > 0 else { return false }
        for (table, pairs) in [("volumeLabel", volume.labels), ("volumeOption", volume.options)] {
            for (key, value) in pairs {
                try database.execute(
                    sql: "INSERT INTO \(table) (volume, key, value) VALUES (?, ?, ?)",
                    arguments: [volume.name, key, value])
            }
        }
        return true
    }

    static func hasVolume(_ name: String, in database: Database) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS(SELECT 1 FROM volume WHERE name = ?)", arguments: [name]) ?? false
    }

    static func move(_ name: String, _ body: (String) throws(Errno) -> Void) throws {
        do throws(Errno) { try body(name) } catch { throw CatalogError.volumeDirectory(name, error) }
    }

    private static func users(of name: String, in database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: """
                SELECT name FROM sandbox WHERE id IN (SELECT sandbox FROM redirect WHERE volume = ?)
                ORDER BY name
                """, arguments: [name])
    }

    private static func volume(_ row: Row, in database: Database) throws -> VolumeRecord {
        let name: String = try row.decode(forColumn: "name")
        var volume = VolumeRecord(
            name: name, driver: try row.decode(forColumn: "driver"),
            created: try row.decode(forColumn: "created"),
            isAnonymous: try row.decode(forColumn: "anonymous"),
            labels: try pairs("volumeLabel", of: name, in: database),
            options: try pairs("volumeOption", of: name, in: database),
            size: try row.decode(forColumn: "size"))
        volume.sandboxes = try users(of: name, in: database)
        return volume
    }

    private static func pairs(
        _ table: String, of name: String, in database: Database
    ) throws -> [String: String] {
        var result: [String: String] = [:]
        let rows = try Row.fetchAll(
            database, sql: "SELECT key, value FROM \(table) WHERE volume = ?", arguments: [name])
        for row in rows { result[try row.decode(forColumn: "key")] = try row.decode(forColumn: "value") }
        return result
    }
}
