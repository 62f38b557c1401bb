// Images, their tags and manifests.

import GRDB
import LaminaCore

extension Catalog {
    /// Makes images visible in one transaction: each with a manifest and tags.
    ///
    /// Images that are there already are kept; a tag moves to this image. Their layers are known and claimed by
    /// `owner`, whose claims end. `secure` gives back what was pruned of their other content meanwhile, says what
    /// it takes, and is called within the transaction; when it throws nothing is changed.
    public func add(
        _ images: [(image: ImageRecord, manifest: ManifestRecord?, references: [String])],
        knowing known: [ContentRecord] = [], owner: String = "",
        secure: () throws(Errno) -> [ContentRecord] = { () throws(Errno) in [] }
    ) throws(CatalogError) {
        try write(knowing: known) { database in
            let contents: [ContentRecord]
            do throws(Errno) { contents = try secure() } catch { throw error }
            for content in contents { try content.insert(in: database) }
            try Self.endClaims(of: owner, in: database)
            for (image, manifest, references) in images {
                try Self.insert(image, in: database)
                if let manifest { try Self.insert(manifest, of: image, in: database) }
                for reference in references {
                    try database.execute(
                        sql: "INSERT OR REPLACE INTO tag (reference, image) VALUES (?, ?)",
                        arguments: [reference, image.id])
                }
            }
        }
    }

    private static func insert(_ image: ImageRecord, in database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO image
                (id, chainID, architecture, os, variant, created, configSize, loaded, used)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                image.id, image.chainID, image.architecture, image.os, image.variant, image.created,
                image.configSize, image.loaded, image.loaded,
            ])
        guard database.changesCount > 0 else {
            return try database.execute(
                sql: "UPDATE image SET used = max(used, ?) WHERE id = ?", arguments: [image.loaded, image.id])
        }
        for (position, diffID) in image.diffIDs.enumerated() {
            try database.execute(
                sql: "INSERT INTO imageLayer (image, position, diffID) VALUES (?, ?, ?)",
                arguments: [image.id, position, diffID])
        }
    }

    private static func insert(
        _ manifest: ManifestRecord, of image: ImageRecord, in database: Database
    ) throws {
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO manifest (digest, image, mediaType, size, loaded) VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [manifest.digest, image.id, manifest.mediaType, manifest.size, image.loaded])
        guard database.changesCount > 0 else { return }
        for (position, blob) in manifest.blobs.enumerated() {
            try database.execute(
                sql: "INSERT INTO manifestLayer (manifest, position, blob) VALUES (?, ?, ?)",
                arguments: [manifest.digest, position, blob])
        }
    }

    /// All images, newest in the store first. O(images).
    public func images() throws(CatalogError) -> [ImageRecord] {
        try read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT * FROM image ORDER BY loaded DESC, id")
            return try rows.map { try Self.image($0, in: database) }
        }
    }

    /// The image with this id.
    public func image(id: Digest) throws(CatalogError) -> ImageRecord? {
        try read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM image WHERE id = ?", arguments: [id])
                .map { try Self.image($0, in: database) }
        }
    }

    /// The image that the normalised `reference` names.
    public func image(reference: String) throws(CatalogError) -> ImageRecord? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT image.* FROM image JOIN tag ON tag.image = image.id WHERE tag.reference = ?",
                arguments: [reference]
            ).map { try Self.image($0, in: database) }
        }
    }

    /// The image that has a manifest of this digest.
    public func image(manifest: Digest) throws(CatalogError) -> ImageRecord? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT image.* FROM image JOIN manifest m ON m.image = image.id WHERE m.digest = ?",
                arguments: [manifest]
            ).map { try Self.image($0, in: database) }
        }
    }

    /// At most two images whose id starts with these hexadecimal digits: one is a match,
    /// two say that the prefix is ambiguous.
    public func images(idPrefix: String) throws(CatalogError) -> [ImageRecord] {
        guard idPrefix.utf8.allSatisfy(isHexDigit) else { return [] }
        return try read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM image WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
                arguments: ["sha256:\(idPrefix)", "sha256:\(idPrefix)g"]
            ).map { try Self.image($0, in: database) }
        }
    }

    /// Points the normalised `reference` at an image. Throws `imageGone` for one that is no longer there.
    public func tag(_ reference: String, image: Digest) throws(CatalogError) {
        try write { database in
            let known = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM image WHERE id = ?)", arguments: [image])
            guard known == true else { throw CatalogError.imageGone(image) }
            try database.execute(
                sql: "INSERT OR REPLACE INTO tag (reference, image) VALUES (?, ?)",
                arguments: [reference, image])
        }
    }

    /// Removes one tag; the image stays.
    public func untag(_ reference: String) throws(CatalogError) {
        try write { database in
            try database.execute(sql: "DELETE FROM tag WHERE reference = ?", arguments: [reference])
        }
    }

    /// Removes an image with its tags and manifests; its layers stay until a prune.
    ///
    /// Throws `imageInUse` while a sandbox is based on it or shows it, unless `force`; a sandbox keeps
    /// its layers either way.
    public func removeImage(_ id: Digest, force: Bool = false) throws(CatalogError) {
        try write { database in
            let users = try Self.users(of: id, in: database)
            if !force && !users.isEmpty { throw CatalogError.imageInUse(sandboxes: users) }
            try database.execute(sql: "DELETE FROM image WHERE id = ?", arguments: [id])
        }
    }

    private static func image(_ row: Row, in database: Database) throws -> ImageRecord {
        let id: Digest = try row.decode(forColumn: "id")
        var image = ImageRecord(
            id: id, chainID: try row.decode(forColumn: "chainID"),
            architecture: try row.decode(forColumn: "architecture"), os: try row.decode(forColumn: "os"),
            variant: try row.decode(forColumn: "variant"), created: try row.decode(forColumn: "created"),
            configSize: try row.decode(forColumn: "configSize"),
            loaded: try row.decode(forColumn: "loaded"),
            diffIDs: try Digest.fetchAll(
                database, sql: "SELECT diffID FROM imageLayer WHERE image = ? ORDER BY position",
                arguments: [id]))
        image.references = try String.fetchAll(
            database, sql: "SELECT reference FROM tag WHERE image = ? ORDER BY reference", arguments: [id])
        image.sandboxes = try users(of: id, in: database)
        image.manifests = try Row.fetchAll(
            database, sql: "SELECT * FROM manifest WHERE image = ? ORDER BY loaded DESC, digest",
            arguments: [id]
        ).map { try Self.manifest($0, in: database) }
        return image
    }

    private static func users(of image: Digest, in database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: """
                SELECT id FROM sandbox WHERE id IN (SELECT sandbox FROM imageUse WHERE image = ?)
                ORDER BY created, id
                """, arguments: [image])
    }

    private static func manifest(_ row: Row, in database: Database) throws -> ManifestRecord {
        let digest: Digest = try row.decode(forColumn: "digest")
        return ManifestRecord(
            digest: digest, mediaType: try row.decode(forColumn: "mediaType"),
            size: try row.decode(forColumn: "size"),
            blobs: try Digest.fetchAll(
                database, sql: "SELECT blob FROM manifestLayer WHERE manifest = ? ORDER BY position",
                arguments: [digest]))
    }
}

func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    default: false
    }
}
