import Foundation
import GRDB
import LaminaCore
import Testing

@testable import LaminaCatalog

@Suite struct VolumeTests {
    private static let imageID = ByteString(Fixture.digest(10).description)

    /// Adds a volume whose directory nobody makes.
    private func add(_ name: String, to fixture: Fixture, _ change: (inout VolumeRecord) -> Void = { _ in })
        throws -> VolumeRecord
    {
        var volume = VolumeRecord(name: name, created: 7)
        change(&volume)
        let isNew = try fixture.catalog.add(volume) { _ throws(Errno) in }
        #expect(isNew)
        return volume
    }

    private func addSandbox(_ id: String, _ redirects: [Redirect], to fixture: Fixture) throws {
        var sandbox = SandboxRecord(
            id: id, name: "box\(id)", image: Fixture.digest(10), imageName: "a:1",
            chainID: Fixture.digest(20),
            created: 5, diffIDs: [Fixture.digest(1), Fixture.digest(2)])
        sandbox.redirects = redirects
        try fixture.catalog.add(sandbox)
    }

    @Test func comesBackAsItWas() throws {
        let fixture = try Fixture()
        let plain = try add("plain", to: fixture)
        let full = try add("full", to: fixture) {
            $0.isAnonymous = true
            $0.labels = ["a": "1", "b": ""]
            $0.options = ["size": "1g"]
            $0.size = 1 << 30
        }
        #expect(try fixture.catalog.volumes() == [full, plain])
        #expect(try fixture.catalog.volume("full") == full)
        #expect(try fixture.catalog.volume("none") == nil)
    }

    @Test func theFirstOfANameStays() throws {
        let fixture = try Fixture()
        let volume = try add("data", to: fixture) { $0.labels = ["a": "1"] }
        var placed = 0
        let isNew = try fixture.catalog.add(VolumeRecord(name: "data", created: 9)) { _ throws(Errno) in
            placed += 1
        }
        #expect(!isNew && placed == 0)
        #expect(try fixture.catalog.volume("data") == volume)
    }

    @Test func aDirectoryThatCannotMoveUndoesAll() throws {
        let fixture = try Fixture()
        #expect(throws: CatalogError.volumeDirectory("data", .noSpace)) {
            _ = try fixture.catalog.add(VolumeRecord(name: "data", created: 9)) { _ throws(Errno) in
                throw .noSpace
            }
        }
        #expect(try fixture.catalog.volumes().isEmpty)
        let volume = try add("data", to: fixture)
        #expect(throws: CatalogError.volumeDirectory("data", .ioError)) {
            try fixture.catalog.removeVolume("data") { _ throws(Errno) in throw .ioError }
        }
        #expect(try fixture.catalog.volumes() == [volume])
        try fixture.catalog.removeVolume("data") { _ throws(Errno) in }
        #expect(try fixture.catalog.volumes().isEmpty)
        #expect(throws: CatalogError.noVolume("data")) {
            try fixture.catalog.removeVolume("data") { _ throws(Errno) in Issue.record("nothing to move") }
        }
    }

    @Test func redirectsComeBackAsTheyWere() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        _ = try add("data", to: fixture)
        var bind = Redirect(
            .bind, source: ByteString([0x2F, 0xFF]), target: ByteString([0x2F, 0xFE, 0x27]))
        bind.createsSource = true
        bind.allowsSpecial = true
        bind.consistency = .consistent
        var volume = Redirect(.volume, source: "data", target: "/b")
        volume.subpath = ByteString([0x61, 0xFF])
        volume.readOnly = true
        volume.noCopy = true
        volume.isAnonymous = true
        var memory = Redirect(.tmpfs, target: "/c")
        memory.size = 1 << 40
        memory.permissions = 0o1700
        var image = Redirect(.image, source: Self.imageID, target: "/a")
        image.readOnly = true
        image.imageName = "a:1"
        image.chainID = Fixture.digest(20)
        let redirects = [memory, volume, bind, image]
        try addSandbox("ab", redirects, to: fixture)
        #expect(try fixture.catalog.sandboxes().first?.redirects == redirects)
        #expect(try fixture.catalog.sandboxes(matching: "boxab").first?.redirects == redirects)
    }

    @Test func aUsedVolumeStays() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        _ = try add("data", to: fixture)
        for id in ["ab", "cd"] {
            try addSandbox(id, [Redirect(.volume, source: "data", target: "/d")], to: fixture)
        }
        #expect(try fixture.catalog.volume("data")?.sandboxes == ["boxab", "boxcd"])
        #expect(throws: CatalogError.volumeInUse("data", sandboxes: ["boxab", "boxcd"])) {
            try fixture.catalog.removeVolume("data") { _ throws(Errno) in Issue.record("moved") }
        }
        try fixture.catalog.removeSandbox("ab")
        try fixture.catalog.removeSandbox("cd")
        #expect(try fixture.catalog.volumes().map(\.name) == ["data"])
        try fixture.catalog.removeVolume("data") { _ throws(Errno) in }
    }

    /// New volumes come with the sandbox or not at all.
    @Test func aSandboxBringsItsVolumes() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        _ = try add("old", to: fixture)
        var sandbox = SandboxRecord(
            id: "ab", name: "box", image: Fixture.digest(10), imageName: "a:1", chainID: Fixture.digest(20),
            created: 5, diffIDs: [])
        sandbox.redirects = ["old", "new", "gone"].map {
            Redirect(.volume, source: ByteString($0), target: ByteString("/\($0)"))
        }
        let volumes = ["old", "new"].map { VolumeRecord(name: $0, created: 9) }
        var placed: [String] = []
        #expect(throws: CatalogError.noVolume("gone")) {
            try fixture.catalog.add(sandbox, volumes: volumes) { name throws(Errno) in placed.append(name) }
        }
        #expect(try placed.isEmpty && fixture.catalog.volumes().map(\.name) == ["old"])
        sandbox.redirects.removeLast()
        try fixture.catalog.add(sandbox, volumes: volumes) { name throws(Errno) in placed.append(name) }
        #expect(placed == ["new"])
        #expect(try fixture.catalog.volumes().map(\.sandboxes) == [["box"], ["box"]])
    }

    @Test func aRedirectKeepsItsImage() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        let other = ImageRecord(
            id: Fixture.digest(11), chainID: Fixture.digest(21), architecture: "amd64", os: "linux",
            configSize: 5, loaded: 101, diffIDs: [Fixture.digest(3)])
        let layer = LayerRecord(diffID: Fixture.digest(3), tarSize: 1, streamSize: 1, entryCount: 1)
        try fixture.add(layer)
        try fixture.catalog.add([(other, nil, ["b:1"])])
        var redirect = Redirect(.image, source: ByteString("\(other.id)"), target: "/i")
        redirect.chainID = other.chainID
        try addSandbox("ab", [redirect], to: fixture)
        #expect(try fixture.catalog.image(id: other.id)?.sandboxes == ["ab"])
        #expect(throws: CatalogError.imageInUse(sandboxes: ["ab"])) {
            try fixture.catalog.removeImage(other.id)
        }
        #expect(try fixture.prune(images: true).isEmpty)
        // By force the image goes, and what the redirect shows stays.
        try fixture.catalog.removeImage(other.id, force: true)
        try fixture.prune()
        let kept = try fixture.kept()
        #expect(kept.diffIDs.contains(Fixture.digest(3)) && kept.chainIDs.contains(other.chainID))
        #expect(throws: CatalogError.imageGone(other.id)) { try addSandbox("cd", [redirect], to: fixture) }
        try fixture.catalog.removeSandbox("ab")
        try fixture.prune()
        let left = try fixture.kept()
        #expect(!left.diffIDs.contains(Fixture.digest(3)) && !left.chainIDs.contains(other.chainID))
    }

    /// A store of the time before volumes opens, keeps what it has, and takes volumes.
    @Test func anOlderStoreMigrates() throws {
        let directory = NSTemporaryDirectory() + "lamina-catalog-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/lamina.db"
        do {
            let queue = try DatabaseQueue(path: path)
            try Schema.migrator.migrate(queue, upTo: "1 images, layers, sandboxes")
            try queue.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO layer VALUES ('\(Fixture.digest(1))', 1, 1, 1);
                        INSERT INTO image VALUES
                            ('\(Fixture.digest(10))', '\(Fixture.digest(20))', 'amd64', 'linux', NULL, NULL, 5, 1);
                        INSERT INTO imageLayer VALUES ('\(Fixture.digest(10))', 0, '\(Fixture.digest(1))');
                        INSERT INTO sandbox VALUES ('ab', 'box', '\(Fixture.digest(10))', 'a:1',
                            '\(Fixture.digest(20))', 5, NULL, 0);
                        INSERT INTO sandboxLayer VALUES ('ab', 0, '\(Fixture.digest(1))');
                        """)
            }
        }
        let catalog = try Catalog(path: path)
        let sandbox = try #require(try catalog.sandboxes().first)
        #expect(sandbox.name == "box" && sandbox.redirects.isEmpty && sandbox.diffIDs == [Fixture.digest(1)])
        #expect(try catalog.images().first?.sandboxes == ["ab"])
        #expect(try catalog.volumes().isEmpty)
        #expect(try catalog.pruning.unusedImages().isEmpty && !catalog.isAccounted())
        #expect(FileManager.default.fileExists(atPath: path + ".before-2"))
        #expect(try catalog.layers() == [Fixture.digest(1)])
        #expect(try catalog.add(VolumeRecord(name: "data", created: 1)) { _ throws(Errno) in })
        #expect(try Catalog(path: path).volumes().map(\.name) == ["data"])
    }
}
