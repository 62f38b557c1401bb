// Sandboxes: who they are, what they stand on, and where they were last mounted.

import GRDB
import LaminaCore

extension Catalog {
    /// Adds a sandbox, with its redirects and those of `volumes` that are not there yet.
    ///
    /// Throws `nameTaken` when another one has its name, `imageGone` when its image or one of a
    /// redirect was removed meanwhile, `noVolume` for a volume that is neither there nor in `volumes`.
    /// `place` gives the directory of a volume that is added its name, durably, just before the commit;
    /// `placeSandbox` does the same for the sandbox's own.
    public func add(
        _ sandbox: SandboxRecord, volumes: [VolumeRecord] = [],
        place: (String) throws(Errno) -> Void = { _ throws(Errno) in },
        placeSandbox: () throws(Errno) -> Void = { () throws(Errno) in }
    ) throws(CatalogError) {
        try write { database in
            let taken = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM sandbox WHERE name = ?)",
                arguments: [sandbox.name])
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
            var new: [VolumeRecord] = []
            for volume in volumes where try Self.insert(volume, in: database) { new.append(volume) }
            try Self.insert(sandbox.redirects, of: sandbox.id, in: database)
            try database.execute(
                sql: "UPDATE image SET used = max(used, ?) WHERE id = ?",
                arguments: [sandbox.created, sandbox.image])
            for volume in new { try Self.move(volume.name, place) }
            do throws(Errno) { try placeSandbox() } catch { throw error }
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
                database, sql: "SELECT EXISTS(SELECT 1 FROM sandbox WHERE name = ?)", arguments: [name])
                ?? false
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
            guard mountpoint != nil else { return }
            try database.execute(
                sql: """
                    UPDATE image SET used = max(used, unixepoch())
                    WHERE id = (SELECT image FROM sandbox WHERE id = ?)
                    """, arguments: [id])
        }
    }

    /// Gives a sandbox another name. Throws `nameTaken` when it is in use, by this one too.
    public func rename(_ id: String, to name: String) throws(CatalogError) {
        try write { database in
            let taken = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM sandbox WHERE name = ?)", arguments: [name])
            if taken == true { throw CatalogError.nameTaken(name) }
            try database.execute(
                sql: "UPDATE sandbox SET name = ? WHERE id = ?", arguments: [name, id])
        }
    }

    /// Removes a sandbox from the catalogue.
    public func removeSandbox(_ id: String) throws(CatalogError) {
        try write { database in
            try database.execute(sql: "DELETE FROM sandbox WHERE id = ?", arguments: [id])
        }
    }

    private static func sandbox(_ row: Row, in database: Database) throws -> SandboxRecord {
        let id: String = try row.decode(forColumn: "id")
        var sandbox = SandboxRecord(
            id: id, name: try row.decode(forColumn: "name"), image: try row.decode(forColumn: "image"),
            imageName: try row.decode(forColumn: "imageName"),
            chainID: try row.decode(forColumn: "chainID"), created: try row.decode(forColumn: "created"),
            diffIDs: try Digest.fetchAll(
                database, sql: "SELECT diffID FROM sandboxLayer WHERE sandbox = ? ORDER BY position",
                arguments: [id]))
        sandbox.mountpoint = try row.decode(forColumn: "mountpoint")
        sandbox.readOnly = try row.decode(forColumn: "readOnly")
        sandbox.redirects = try redirects(of: id, in: database)
        return sandbox
    }
}
