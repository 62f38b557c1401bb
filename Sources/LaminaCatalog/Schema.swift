// The tables, as a list of migrations. A migration that was released is never edited:
// a change is a new one at the end.

import GRDB

enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 images, layers, sandboxes", migrate: createFirst)
        migrator.registerMigration("2 volumes, redirects", migrate: createVolumes)
        migrator.registerMigration("3 contents, claims", migrate: createContents)
        return migrator
    }

    private static func createFirst(_ database: Database) throws {
        try database.execute(
            sql: """
                -- An unpacked layer: layers/<diffID>/. Sizes in bytes.
                CREATE TABLE layer (
                    diffID TEXT NOT NULL PRIMARY KEY,
                    tarSize INTEGER NOT NULL,
                    streamSize INTEGER NOT NULL,
                    entryCount INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;

                -- A blob that was seen to unpack to the layer. Its file may have been dropped.
                CREATE TABLE layerBlob (
                    digest TEXT NOT NULL PRIMARY KEY,
                    diffID TEXT NOT NULL REFERENCES layer ON DELETE CASCADE,
                    size INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX layerBlobOfLayer ON layerBlob(diffID);

                -- An image is its config: id is the config's digest.
                CREATE TABLE image (
                    id TEXT NOT NULL PRIMARY KEY,
                    chainID TEXT NOT NULL,
                    architecture TEXT NOT NULL,
                    os TEXT NOT NULL,
                    variant TEXT,
                    created TEXT,
                    configSize INTEGER NOT NULL,
                    loaded INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE imageLayer (
                    image TEXT NOT NULL REFERENCES image ON DELETE CASCADE,
                    position INTEGER NOT NULL,
                    diffID TEXT NOT NULL REFERENCES layer,
                    PRIMARY KEY (image, position)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX imageLayerOfLayer ON imageLayer(diffID);

                -- A manifest that names the image: one for each compression it was loaded in.
                CREATE TABLE manifest (
                    digest TEXT NOT NULL PRIMARY KEY,
                    image TEXT NOT NULL REFERENCES image ON DELETE CASCADE,
                    mediaType TEXT NOT NULL,
                    size INTEGER NOT NULL,
                    loaded INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX manifestOfImage ON manifest(image);

                CREATE TABLE manifestLayer (
                    manifest TEXT NOT NULL REFERENCES manifest ON DELETE CASCADE,
                    position INTEGER NOT NULL,
                    blob TEXT NOT NULL,
                    PRIMARY KEY (manifest, position)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX manifestLayerOfBlob ON manifestLayer(blob);

                -- reference is normalised: docker.io/library/small:latest
                CREATE TABLE tag (
                    reference TEXT NOT NULL PRIMARY KEY,
                    image TEXT NOT NULL REFERENCES image ON DELETE CASCADE
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX tagOfImage ON tag(image);

                -- image has no foreign key: a sandbox outlives an image that was removed by
                -- force, and keeps its layers.
                CREATE TABLE sandbox (
                    id TEXT NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE,
                    image TEXT NOT NULL,
                    imageName TEXT NOT NULL,
                    chainID TEXT NOT NULL,
                    created INTEGER NOT NULL,
                    mountpoint TEXT,
                    readOnly INTEGER NOT NULL DEFAULT 0
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX sandboxOfImage ON sandbox(image);
                CREATE INDEX sandboxOfChain ON sandbox(chainID);

                CREATE TABLE sandboxLayer (
                    sandbox TEXT NOT NULL REFERENCES sandbox ON DELETE CASCADE,
                    position INTEGER NOT NULL,
                    diffID TEXT NOT NULL REFERENCES layer,
                    PRIMARY KEY (sandbox, position)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX sandboxLayerOfLayer ON sandboxLayer(diffID);
                """)
    }
}
