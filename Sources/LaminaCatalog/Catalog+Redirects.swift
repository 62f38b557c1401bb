// The redirects of sandboxes, and what they keep: volumes by a foreign key, the layers of images by
// rows of their own.

import Foundation
import GRDB
import LaminaCore

extension Catalog {
    /// Adds redirects to a sandbox behind those that it has, with those of `volumes` that are not there yet.
    ///
    /// Throws `noSandbox` for one that was removed meanwhile, and as `add(_:volumes:place:)` does.
    public func add(
        _ redirects: [Redirect], to sandbox: String, volumes: [VolumeRecord],
        place: (String) throws(Errno) -> Void
    ) throws(CatalogError) {
        try write { database in
            let next = try Int.fetchOne(
                database, sql: "SELECT coalesce(max(position) + 1, 0) FROM redirect WHERE sandbox = ?",
                arguments: [sandbox])
            let isThere = try Bool.fetchOne(
                database, sql: "SELECT EXISTS(SELECT 1 FROM sandbox WHERE id = ?)", arguments: [sandbox])
            guard isThere == true else { throw CatalogError.noSandbox(sandbox) }
            var new: [VolumeRecord] = []
            for volume in volumes where try Self.insert(volume, in: database) { new.append(volume) }
            try Self.insert(redirects, of: sandbox, from: next ?? 0, in: database)
            for volume in new { try Self.move(volume.name, place) }
        }
    }

    /// Takes the redirect with this target from a sandbox; whether there was one.
    public func removeRedirect(at target: ByteString, of sandbox: String) throws(CatalogError) -> Bool {
        try write { database in
            try database.execute(
                sql: "DELETE FROM redirect WHERE sandbox = ? AND target = ?",
                arguments: [sandbox, Data(target.bytes)])
            return database.changesCount > 0
        }
    }

    /// Adds redirects of a sandbox in their order.
    ///
    /// Throws `noVolume` and `imageGone` for what was removed meanwhile.
    static func insert(
        _ redirects: [Redirect], of sandbox: String, from start: Int = 0, in database: Database
    ) throws {
        for (index, redirect) in redirects.enumerated() {
            let position = start + index
            let volume = redirect.kind == .volume ? redirect.source.description : nil
            if let volume, !(try hasVolume(volume, in: database)) { throw CatalogError.noVolume(volume) }
            try database.execute(
                sql: """
                    INSERT INTO redirect (sandbox, position, type, target, source, volume, image, imageName,
                    chainID, subpath, readOnly, consistency, createsSource, allowsSpecial, noCopy, anonymous,
                    size, permissions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    sandbox, position, redirect.kind.rawValue, Data(redirect.target.bytes),
                    redirect.kind == .bind ? Data(redirect.source.bytes) : nil, volume,
                    redirect.kind == .image ? redirect.source.description : nil, redirect.imageName,
                    redirect.chainID, redirect.subpath.map { Data($0.bytes) }, redirect.readOnly,
                    redirect.consistency.rawValue, redirect.createsSource, redirect.allowsSpecial,
                    redirect.noCopy, redirect.isAnonymous, redirect.size, redirect.permissions,
                ])
            if redirect.kind == .image { try insertLayers(of: redirect, sandbox, position, in: database) }
        }
    }

    private static func insertLayers(
        of redirect: Redirect, _ sandbox: String, _ position: Int, in database: Database
    ) throws {
        guard let image = Digest(redirect.source.description) else {
            throw CatalogError.damaged(reason: "\(redirect.source) is no image's id")
        }
        try database.execute(
            sql: """
                INSERT INTO redirectLayer (sandbox, redirect, position, diffID)
                SELECT ?, ?, position, diffID FROM imageLayer WHERE image = ?
                """, arguments: [sandbox, position, image])
        // An image without layers is never loaded.
        if database.changesCount == 0 { throw CatalogError.imageGone(image) }
    }

    /// The redirects of a sandbox in their order.
    static func redirects(of sandbox: String, in database: Database) throws -> [Redirect] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM redirect WHERE sandbox = ? ORDER BY position", arguments: [sandbox]
        ).map(redirect)
    }

    private static func redirect(_ row: Row) throws -> Redirect {
        func path(_ column: String) throws -> ByteString? {
            let data: Data? = try row.decode(forColumn: column)
            return data.map { ByteString($0) }
        }
        let type: String = try row.decode(forColumn: "type")
        let word: String = try row.decode(forColumn: "consistency")
        guard let kind = Redirect.Kind(rawValue: type), let target = try path("target"),
            let consistency = Redirect.Consistency(rawValue: word)
        else { throw CatalogError.damaged(reason: "a redirect is of no known type") }
        let name: String? = try row.decode(forColumn: kind == .image ? "image" : "volume")
        let source = try path("source") ?? name.map { ByteString($0) } ?? ByteString()
        var redirect = Redirect(kind, source: source, target: target)
        redirect.subpath = try path("subpath")
        redirect.readOnly = try row.decode(forColumn: "readOnly")
        redirect.consistency = consistency
        redirect.createsSource = try row.decode(forColumn: "createsSource")
        redirect.allowsSpecial = try row.decode(forColumn: "allowsSpecial")
        redirect.noCopy = try row.decode(forColumn: "noCopy")
        redirect.isAnonymous = try row.decode(forColumn: "anonymous")
        redirect.size = try row.decode(forColumn: "size")
        redirect.permissions = try row.decode(forColumn: "permissions")
        redirect.imageName = try row.decode(forColumn: "imageName")
        redirect.chainID = try row.decode(forColumn: "chainID")
        return redirect
    }
}
