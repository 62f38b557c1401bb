import Foundation
import GRDB
import LaminaCore
import Testing

@testable import LaminaCatalog

/// A fresh catalogue in a directory that goes with it.
final class Fixture {
    let directory: String
    let catalog: Catalog
    var path: String { directory + "/lamina.db" }

    init() throws {
        directory = NSTemporaryDirectory() + "lamina-catalog-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        catalog = try Catalog(path: directory + "/lamina.db")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    static func digest(_ number: UInt8) -> Digest {
        Digest(bytes: [UInt8](repeating: number, count: 32)) ?? Self.digest(0)
    }

    /// An image `10` of layers `1` and `2`, tagged `a:1`.
    func addImage() throws {
        let image = ImageRecord(
            id: Self.digest(10), chainID: Self.digest(20), architecture: "amd64", os: "linux", configSize: 5,
            loaded: 100, diffIDs: [Self.digest(1), Self.digest(2)])
        let manifest = ManifestRecord(
            digest: Self.digest(30), mediaType: "m", size: 7, blobs: [Self.digest(41), Self.digest(42)])
        let layers = [1, 2].map { number in
            LayerRecord(
                diffID: Self.digest(number), tarSize: 1000, streamSize: 500, entryCount: 3,
                blobs: [LayerBlobRecord(digest: Self.digest(40 + number), size: 100)])
        }
        for layer in layers { try add(layer) }
        try catalog.add([(image, manifest, ["a:1"])], owner: "test")
    }

    /// A layer with one object of its own and one that all have.
    func add(_ layer: LayerRecord) throws {
        try catalog.add(layer, owner: "test") { () throws(Errno) in
            LayerContents(
                files: [ContentRecord(.layer, layer.diffID, diskSize: 4096)],
                objects: [
                    ContentRecord(.object, layer.diffID, diskSize: 7),
                    ContentRecord(.object, Self.digest(99), diskSize: 8),
                ])
        }
    }

    /// What images and sandboxes need.
    func kept() throws -> (diffIDs: Set<Digest>, chainIDs: Set<Digest>, blobs: Set<Digest>) {
        try catalog.queue.read { database in
            func digests(_ sql: String) throws -> Set<Digest> { Set(try Digest.fetchAll(database, sql: sql)) }
            return (
                try digests("SELECT diffID FROM layerUse"), try digests(ContentKind.chain.users),
                try digests(ContentKind.blob.users)
            )
        }
    }

    /// Removes what nothing needs; the images that went.
    @discardableResult
    func prune(images: Bool = false) throws -> [Digest] {
        let steps = catalog.pruning
        let gone = images ? try steps.unusedImages().filter { try steps.remove($0) }.map(\.id) : []
        try steps.endClaims { _ in true }
        while try steps.forgetLayers(objects: { [$0, Self.digest(99)] }) {}
        for kind in ContentKind.allCases {
            while try !steps.forgetContent(kind, retire: { _ throws(Errno) in }).isEmpty {}
        }
        return gone
    }

    func addSandbox(_ id: String = "ab", name: String = "one") throws {
        try catalog.add(
            SandboxRecord(
                id: id, name: name, image: Self.digest(10), imageName: "a:1", chainID: Self.digest(20),
                created: 5, diffIDs: [Self.digest(1), Self.digest(2)]))
    }
}

@Suite struct CatalogTests {
    @Test func addsAndFindsAnImage() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        try fixture.addImage()
        let image = try #require(try fixture.catalog.image(reference: "a:1"))
        #expect(image.diffIDs == [Fixture.digest(1), Fixture.digest(2)])
        #expect(image.manifests.map(\.blobs) == [[Fixture.digest(41), Fixture.digest(42)]])
        #expect(try fixture.catalog.images() == [image])
        #expect(try fixture.catalog.image(id: Fixture.digest(10)) == image)
        #expect(try fixture.catalog.image(manifest: Fixture.digest(30)) == image)
        #expect(try fixture.catalog.images(idPrefix: "0a0a") == [image])
        #expect(try fixture.catalog.images(idPrefix: "0b").isEmpty)
        #expect(try fixture.catalog.images(idPrefix: "%").isEmpty)
        #expect(try fixture.catalog.layer(Fixture.digest(1))?.blobs.first?.digest == Fixture.digest(41))
    }

    @Test func aTagMoves() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        let other = ImageRecord(
            id: Fixture.digest(11), chainID: Fixture.digest(20), architecture: "amd64", os: "linux",
            configSize: 5, loaded: 101, diffIDs: [Fixture.digest(1)])
        try fixture.catalog.add([(other, nil, ["a:1"])])
        #expect(try fixture.catalog.image(reference: "a:1")?.id == other.id)
        #expect(try fixture.catalog.image(id: Fixture.digest(10))?.references == [])
        try fixture.catalog.untag("a:1")
        #expect(try fixture.catalog.image(reference: "a:1") == nil)
    }

    @Test func aSandboxProtectsItsImageAndLayers() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        try fixture.addSandbox()
        #expect(throws: CatalogError.imageInUse(sandboxes: ["ab"])) {
            try fixture.catalog.removeImage(Fixture.digest(10))
        }
        try fixture.catalog.removeImage(Fixture.digest(10), force: true)
        #expect(try fixture.prune(images: true).isEmpty)
        var kept = try fixture.kept()
        #expect(kept.diffIDs == [Fixture.digest(1), Fixture.digest(2)])
        #expect(kept.chainIDs == [Fixture.digest(20)])
        #expect(kept.blobs.isEmpty)
        try fixture.catalog.removeSandbox("ab")
        #expect(try fixture.catalog.layer(Fixture.digest(1)) != nil)
        try fixture.prune()
        kept = try fixture.kept()
        #expect(kept.diffIDs.isEmpty && kept.chainIDs.isEmpty)
        #expect(try fixture.catalog.layer(Fixture.digest(1)) == nil)
    }

    @Test func forgetsUnusedImages() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        try fixture.addSandbox()
        #expect(try fixture.prune(images: true).isEmpty)
        try fixture.catalog.removeSandbox("ab")
        #expect(try fixture.catalog.pruning.unusedImages().map(\.references) == [["a:1"]])
        #expect(try fixture.prune(images: true) == [Fixture.digest(10)])
        #expect(try fixture.catalog.images().isEmpty)
    }

    @Test func findsSandboxesByIdNameAndPrefix() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        try fixture.addSandbox("abcd", name: "one")
        try fixture.addSandbox("abef", name: "abc")
        #expect(throws: CatalogError.nameTaken("one")) { try fixture.addSandbox("ff", name: "one") }
        #expect(try fixture.catalog.sandboxes(matching: "one").map(\.id) == ["abcd"])
        #expect(try fixture.catalog.sandboxes(matching: "abc").map(\.id) == ["abef"])
        #expect(try fixture.catalog.sandboxes(matching: "ab").count == 2)
        #expect(try fixture.catalog.sandboxes(matching: "").isEmpty)
        try fixture.catalog.setMountpoint(of: "abcd", to: "/mnt", readOnly: true)
        #expect(try fixture.catalog.sandboxes(matching: "abcd").first?.mountpoint == "/mnt")
    }

    @Test func aFailedTransactionLeavesNothing() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        // Its second layer is unknown, which the foreign key refuses after much was inserted.
        let image = ImageRecord(
            id: Fixture.digest(11), chainID: Fixture.digest(21), architecture: "amd64", os: "linux",
            configSize: 5, loaded: 100, diffIDs: [Fixture.digest(3), Fixture.digest(4)])
        try fixture.add(LayerRecord(diffID: Fixture.digest(3), tarSize: 1, streamSize: 1, entryCount: 1))
        #expect(throws: CatalogError.self) {
            try fixture.catalog.add([(image, nil, ["a:1"])]) { () throws(Errno) in
                [ContentRecord(.chain, Fixture.digest(21), diskSize: 4096)]
            }
        }
        #expect(try fixture.catalog.image(id: Fixture.digest(11)) == nil)
        #expect(try fixture.catalog.totals()[.chain]?.count == 0)
        #expect(try fixture.catalog.image(reference: "a:1")?.id == Fixture.digest(10))
    }

    @Test func aSandboxNeedsItsImage() throws {
        let fixture = try Fixture()
        #expect(throws: CatalogError.imageGone(Fixture.digest(10))) { try fixture.addSandbox() }
    }

    @Test func aDamagedValueIsAnError() throws {
        let fixture = try Fixture()
        try fixture.addImage()
        try fixture.catalog.queue.write { database in
            try database.execute(sql: "UPDATE image SET chainID = 'sha256:nonsense'")
        }
        #expect {
            _ = try fixture.catalog.images()
        } throws: { error in
            if case .damaged = error as? CatalogError { true } else { false }
        }
    }

    @Test func refusesANewerSchema() throws {
        let fixture = try Fixture()
        try fixture.catalog.queue.write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('2 from the future')")
        }
        #expect(throws: CatalogError.newerSchema(path: fixture.path)) { try Catalog(path: fixture.path) }
    }

    @Test func refusesAFileThatIsNoCatalogue() throws {
        let fixture = try Fixture()
        let path = fixture.directory + "/other.db"
        try Data(repeating: 0x41, count: 4096).write(to: URL(fileURLWithPath: path))
        #expect {
            try Catalog(path: path)
        } throws: { error in
            if case .damaged = error as? CatalogError { true } else { false }
        }
    }
}
