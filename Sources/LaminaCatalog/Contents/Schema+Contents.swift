// The tables of what is on disk and who is about to refer to it.

import GRDB

extension Schema {
    static func createContents(_ database: Database) throws {
        try database.execute(
            sql: """
                -- Blobs, layers and chains that may be in the store: a row comes before its file and goes with
                -- it. diskSize in bytes, 0 until it is known.
                CREATE TABLE content (
                    kind TEXT NOT NULL,
                    digest TEXT NOT NULL,
                    diskSize INTEGER NOT NULL,
                    PRIMARY KEY (kind, digest)
                ) STRICT, WITHOUT ROWID;

                -- Objects, likewise. There are many, so digest is its 32 bytes. layers: how many rows of
                -- `layer` have it.
                CREATE TABLE object (
                    digest BLOB NOT NULL PRIMARY KEY,
                    diskSize INTEGER NOT NULL,
                    layers INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX unusedObject ON object(digest) WHERE layers = 0;

                -- The sum of all rows of the two, so that nobody has to read them for it.
                CREATE TABLE contentTotal (
                    kind TEXT NOT NULL PRIMARY KEY,
                    count INTEGER NOT NULL,
                    diskSize INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                INSERT INTO contentTotal VALUES ('blob', 0, 0), ('layer', 0, 0), ('chain', 0, 0), ('object', 0, 0);
                \(totals(of: "content", kind: { "\($0).kind" }))
                \(totals(of: "object", kind: { _ in "'object'" }))

                -- Layers that somebody relies on before an image has them. owner: a directory below ingest/,
                -- whose lock says that he is still at work.
                CREATE TABLE claim (
                    owner TEXT NOT NULL,
                    diffID TEXT NOT NULL REFERENCES layer ON DELETE CASCADE,
                    PRIMARY KEY (owner, diffID)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX claimOfLayer ON claim(diffID);

                -- Holds a row once content and object tell of everything that was there before them.
                CREATE TABLE accounted (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1)) STRICT;
                INSERT INTO accounted SELECT 1
                    WHERE NOT EXISTS (SELECT 1 FROM layer) AND NOT EXISTS (SELECT 1 FROM image);

                -- The blobs and the chains that something needs, as layerUse does for layers.
                CREATE VIEW blobUse AS
                    SELECT id AS digest FROM image
                    UNION ALL SELECT digest FROM manifest
                    UNION ALL SELECT blob FROM manifestLayer;
                CREATE VIEW chainUse AS
                    SELECT chainID AS digest FROM image
                    UNION ALL SELECT chainID FROM sandbox
                    UNION ALL SELECT chainID FROM redirect WHERE chainID IS NOT NULL;

                -- When the image was last loaded, or a sandbox made from it or mounted.
                ALTER TABLE image ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
                UPDATE image SET used = loaded;
                """)
    }

    /// Triggers that keep `contentTotal`.
    private static func totals(of table: String, kind: (String) -> String) -> String {
        """
        CREATE TRIGGER \(table)Added AFTER INSERT ON \(table) BEGIN
            UPDATE contentTotal SET count = count + 1, diskSize = diskSize + new.diskSize
            WHERE kind = \(kind("new"));
        END;
        CREATE TRIGGER \(table)Removed AFTER DELETE ON \(table) BEGIN
            UPDATE contentTotal SET count = count - 1, diskSize = diskSize - old.diskSize
            WHERE kind = \(kind("old"));
        END;
        CREATE TRIGGER \(table)Measured AFTER UPDATE OF diskSize ON \(table) BEGIN
            UPDATE contentTotal SET diskSize = diskSize - old.diskSize + new.diskSize
            WHERE kind = \(kind("new"));
        END;
        """
    }
}
