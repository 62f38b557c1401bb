// The tables of volumes and redirects.

import GRDB

extension Schema {
    static func createVolumes(_ database: Database) throws {
        try database.execute(
            sql: """
                -- A volume: volumes/<name>/_data. size is a quota in bytes.
                CREATE TABLE volume (
                    name TEXT NOT NULL PRIMARY KEY,
                    driver TEXT NOT NULL,
                    created INTEGER NOT NULL,
                    anonymous INTEGER NOT NULL DEFAULT 0,
                    size INTEGER
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE volumeLabel (
                    volume TEXT NOT NULL REFERENCES volume ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (volume, key)
                ) STRICT, WITHOUT ROWID;

                -- What the user gave with -o.
                CREATE TABLE volumeOption (
                    volume TEXT NOT NULL REFERENCES volume ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (volume, key)
                ) STRICT, WITHOUT ROWID;

                -- A redirect of a sandbox. Paths are bytes. source is a bind's; image has no
                -- foreign key, as in sandbox.
                CREATE TABLE redirect (
                    sandbox TEXT NOT NULL REFERENCES sandbox ON DELETE CASCADE,
                    position INTEGER NOT NULL,
                    type TEXT NOT NULL,
                    target BLOB NOT NULL,
                    source BLOB,
                    volume TEXT REFERENCES volume,
                    image TEXT,
                    imageName TEXT,
                    chainID TEXT,
                    subpath BLOB,
                    readOnly INTEGER NOT NULL,
                    consistency TEXT NOT NULL,
                    createsSource INTEGER NOT NULL,
                    allowsSpecial INTEGER NOT NULL,
                    noCopy INTEGER NOT NULL,
                    anonymous INTEGER NOT NULL,
                    size INTEGER,
                    permissions INTEGER,
                    PRIMARY KEY (sandbox, position),
                    UNIQUE (sandbox, target)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX redirectOfVolume ON redirect(volume);
                CREATE INDEX redirectOfImage ON redirect(image);

                -- The layers of a redirect's image, lowest first.
                CREATE TABLE redirectLayer (
                    sandbox TEXT NOT NULL,
                    redirect INTEGER NOT NULL,
                    position INTEGER NOT NULL,
                    diffID TEXT NOT NULL REFERENCES layer,
                    PRIMARY KEY (sandbox, redirect, position),
                    FOREIGN KEY (sandbox, redirect) REFERENCES redirect ON DELETE CASCADE
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX redirectLayerOfLayer ON redirectLayer(diffID);

                -- Which sandboxes need an image, as their own or for a redirect.
                CREATE VIEW imageUse AS
                    SELECT image, id AS sandbox FROM sandbox
                    UNION ALL SELECT image, sandbox FROM redirect WHERE image IS NOT NULL;

                -- The layers that something needs.
                CREATE VIEW layerUse AS
                    SELECT diffID FROM imageLayer
                    UNION ALL SELECT diffID FROM sandboxLayer
                    UNION ALL SELECT diffID FROM redirectLayer;
                """)
    }
}
