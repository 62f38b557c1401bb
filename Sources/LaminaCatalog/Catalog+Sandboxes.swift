// Sandboxes: who they are, what they stand on, and where they were last mounted.

import GRDB
import LaminaCore

extension Catalog {
    /// Adds a sandbox. Throws `nameTaken` when another one has its name and
    /// `imageGone` when its image was removed meanwhile.
    public func add(_ sandbox: SandboxRecord) throws(CatalogError) {
        try write { database in
            let taken = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM sandbox WHERE name = ?)", arguments: [sandbox.name])
            if taken == true { throw CatalogError.nameTaken(sandbox.name) }
            let image = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM image WHERE id = ?)", arguments: [sandbox.image])
            guard image == true else { throw CatalogError.imageGone(sandbox.image) }
            try database.execute(
                sql: """
                    INSERT INTO sandbox (id, name, image, imageName, chainID, created, mountpoint, readOnly)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    sandbox.id, sandbox.name, sandbox.image, sandbox.imageName, sandbox.chainID,
                    sandbox.created, sandbox.mountpoint, sandbox.readOnly,
                ])
            for (position, diffID) in sandbox.diffIDs.enumerated() {
                try database.execute(
                    sql: "INSERT INTO sandboxLayer (sandbox, position, diffID) VALUES (?, ?, ?)",
                    arguments: [sandbox.id, position, diffID])
            }
        }
    }

    /// All sandboxes, newest first. O(sandboxes).
    public func sandboxes() throws(CatalogError) -> [SandboxRecord] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM sandbox ORDER BY created DESC, id")
                .map { try Self.sandbox($0, in: database) }
        }
    }

    /// The sandboxes that `text` may mean: the one with this id or name, or else at most
    /// two whose id starts with it; two say that it is ambiguous.
    public func sandboxes(matching text: String) throws(CatalogError) -> [SandboxRecord] {
        try read { database in
            let exact = try Row.fetchOne(
                database, sql: "SELECT * FROM sandbox WHERE id = ? OR name = ? ORDER BY id = ? DESC",
                arguments: [text, text, text])
            if let exact { return [try Self.sandbox(exact, in: database)] }
            guard !text.isEmpty, text.utf8.allSatisfy(isHexDigit) else { return [] }
            return try Row.fetchAll(
                database, sql: "SELECT * FROM sandbox WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
                arguments: [text, "\(text)g"]
            ).map { try Self.sandbox($0, in: database) }
        }
    }

    /// Whether a sandbox has this name. O(log sandboxes).
    public func hasSandbox(named name: String) throws(CatalogError) -> Bool {
        try read { database in
            try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM sandbox WHERE name = ?)", arguments: [name]) ?? false
        }
    }

    /// Records where a sandbox is mounted; nil when it no longer is.
    public func setMountpoint(
        of id: String, to mountpoint: String?, readOnly: Bool = false
    ) throws(CatalogError) {
        try write { database in
            try database.execute(
                sql: "UPDATE sandbox SET mountpoint = ?, readOnly = ? WHERE id = ?",
                arguments: [mountpoint, readOnly, id])
        }
    }

    /// Removes a sandbox from the catalogue.
    public func removeSandbox(_ id: String) throws(CatalogError) {
        try write { database in
            try database.execute(sql: "DELETE FROM sandbox WHERE id = ?", arguments: [id])
        }
    }

    private static func sandbox(_ row: Row, in database: Database) throws -> SandboxRecord {
        let id: String = row["id"]
        var sandbox = SandboxRecord(
            id: id, name: row["name"], image: row["image"], imageName: row["imageName"],
            chainID: row["chainID"], created: row["created"],
            diffIDs: try Digest.fetchAll(
                database, sql: "SELECT diffID FROM sandboxLayer WHERE sandbox = ? ORDER BY position",
                arguments: [id]))
        sandbox.mountpoint = row["mountpoint"]
        sandbox.readOnly = row["readOnly"]
        return sandbox
    }
}
