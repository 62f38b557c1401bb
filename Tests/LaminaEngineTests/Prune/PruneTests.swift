import GRDB
import Glibc
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaCatalog
@testable import LaminaEngine

@Suite struct PruneTests {
    private let directory: TemporaryDirectory
    private let engine: Engine

    init() throws {
        directory = try TemporaryDirectory()
        engine = try Engine(root: directory.path.appending("store"))
    }

    private func load(_ name: String, _ image: TestImage = .sample()) throws {
        let path = directory.path.appending(ByteString(name))
        try image.layout.write(to: path)
        _ = try engine.load(.path(path))
    }

    private func options(_ change: (inout PruneOptions) -> Void) -> PruneOptions {
        var options = PruneOptions()
        change(&options)
        return options
    }

    /// An image with a file of its own, so large that it is an object.
    private func image(_ seed: UInt64) -> TestImage {
        var tar = TarBuilder()
        tar.add("own", noise(200_000, seed: seed))
        tar.end()
        return TestImage(TestImage.sample().layers + [TestImage.Layer(tar.bytes)])
    }

    private func expectCounted(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let counted = try engine.catalog.totals()
        try engine.account()
        #expect(try engine.catalog.totals() == counted, sourceLocation: sourceLocation)
    }

    @Test func theCatalogueCountsWhatIsOnDisk() throws {
        try load("sample")
        try load("one", image(1))
        try load("two", image(2))
        try expectCounted()
        _ = try engine.removeImage("one")
        _ = try engine.prune()
        try expectCounted()
        #expect(try engine.catalog.totals()[.object]?.count == 2)
        _ = try engine.prune(options { $0.all = true })
        try expectCounted()
        #expect(try engine.catalog.totals().values.allSatisfy { $0 == ContentTotal() })
        #expect(try fileList(below: engine.root) == [])
    }

    @Test func aStoreFromBeforeIsCountedOnce() throws {
        try load("one", image(1))
        let before = try engine.catalog.totals()
        try engine.catalog.queue.write { database in
            try database.execute(sql: "DELETE FROM content; DELETE FROM object; DELETE FROM accounted")
        }
        #expect(try engine.prune().items.isEmpty)
        #expect(try engine.catalog.totals() == before && engine.catalog.isAccounted())
    }

    @Test func imagesWithoutANameGoFirst() throws {
        try load("one", image(1))
        _ = try engine.tag("one", as: "two")
        try load("other", image(2))
        let id = try engine.image("one").id
        _ = try engine.tag("other", as: "one")
        _ = try engine.tag("other", as: "two")
        let report = try engine.prune()
        #expect(report.items.filter { $0.kind == .image }.map(\.name) == ["\(id)"])
        #expect(report.untagged.isEmpty && report.reclaimed > 200_000)
        #expect(try engine.images().count == 1)
        try expectCounted()
    }

    @Test func keepsSoMuchAndTheLatest() throws {
        for number in 1...4 { try load("image\(number)", image(UInt64(number))) }
        for (number, time) in zip(1...4, [40, 10, 30, 20]) {
            let id = try engine.image("image\(number)").id
            try engine.catalog.queue.write { database in
                try database.execute(
                    sql: "UPDATE image SET used = ? WHERE id = ?", arguments: [time, "\(id)"])
            }
        }
        let total = try engine.catalog.totals().values.reduce(0) { $0 + $1.diskSize }
        let trial = try engine.prune(
            options {
                $0.keepStorage = total - 600_000; $0.dryRun = true
            })
        #expect(try engine.images().count == 4)
        let report = try engine.prune(options { $0.keepStorage = total - 600_000 })
        #expect(report.untagged == ["docker.io/library/image2:latest", "docker.io/library/image4:latest"])
        #expect(report.items == trial.items && report.reclaimed == trial.reclaimed)
        #expect(try engine.catalog.totals().values.reduce(0) { $0 + $1.diskSize } <= total - 600_000)
        #expect(try engine.prune(options { $0.keepStorage = total }).untagged.isEmpty)
    }

    @Test func filtersImages() throws {
        try load("one", image(1))
        func pruned(_ conditions: String...) throws -> Int {
            let filter = try PruneFilter(conditions, now: 1_000_000_000)
            let options = options {
                $0.all = true; $0.filter = filter; $0.dryRun = true
            }
            return try engine.prune(options).untagged.count
        }
        #expect(try pruned("until=2001-01-01T00:00:00Z") == 0)
        #expect(try pruned("until=4000000000") == 1)
        #expect(try pruned("label=absent") == 0)
        #expect(try pruned("label!=absent") == 1)
        #expect(throws: LaminaError.self) { _ = try pruned("until=soon") }
        #expect(throws: LaminaError.self) { _ = try pruned("name=x") }
        #expect(PruneFilter.time("1h30m", now: 10_000) == 4_600)
        #expect(PruneFilter.time("10", now: 10_000) == 10)
    }

    @Test func sandboxesOnlyWhenAsked() throws {
        try load("one", image(1))
        let sandbox = try engine.create("one")
        #expect(try engine.prune(options { $0.all = true }).items.isEmpty)
        let report = try engine.prune(
            options {
                $0.kinds = [.sandbox, .image, .cache]; $0.all = true
            })
        #expect(
            report.items.first
                == PruneReport.Item(
                    kind: .sandbox, name: sandbox.id, size: report.items.first?.size ?? 0))
        #expect(try engine.sandboxes().isEmpty && engine.images().isEmpty)
        #expect(try fileList(below: engine.root) == [])
    }

    @Test func droppedBlobsAreGivenBackByTheLayers() throws {
        try load("one", image(1))
        let report = try engine.prune(options { $0.dropBlobs = true })
        #expect(report.items.count == 3 && report.items.allSatisfy { $0.kind == .blob })
        try expectCounted()
        let image = try engine.image("one")
        for diffID in image.diffIDs { try engine.store.verifyLayer(diffID) }
        let path = directory.path.appending("saved.tar")
        try engine.save(
            ["one"], to: Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, permissions: 0o600))
        let other = try Engine(root: directory.path.appending("other"))
        _ = try other.load(.path(path))
        #expect(try other.image("one").id == image.id)
    }

    /// Whoever began to read goes on, though the image is removed and pruned under him.
    @Test func readersGoOn() throws {
        try load("one", image(1))
        let image = try engine.image("one")
        let lease = try engine.lease()
        let report = try engine.prune(
            options {
                $0.all = true; $0.patience = 0
            })
        #expect(report.waiting > 200_000 && report.reclaimed == 0)
        for diffID in image.diffIDs { try engine.store.verifyLayer(diffID) }
        _ = try engine.store.readBlob(image.id)
        _ = consume lease
        #expect(try engine.prune().items.map(\.kind) == [.leftover])
        #expect(try fileList(below: engine.root) == [])
    }

    /// Layers that a load has finished, or found, stay until its image has them.
    @Test func claimedLayersStay() throws {
        try load("one", image(1))
        let diffIDs = try engine.image("one").diffIDs
        do {
            let claims = try engine.claims()
            try engine.catalog.claim(diffIDs, owner: claims.owner)
            #expect(try engine.prune(options { $0.all = true }).items.filter { $0.kind == .layer }.isEmpty)
            #expect(try engine.catalog.layers() == Set(diffIDs))
            _ = consume claims
        }
        #expect(try engine.prune().items.filter { $0.kind == .layer }.count == diffIDs.count)
    }

    /// A claim of a process that is gone counts for nothing.
    @Test func theDeadClaimNothing() throws {
        try load("one", image(1))
        let diffIDs = try engine.image("one").diffIDs
        try engine.catalog.claim(diffIDs, owner: "1-dead")
        #expect(
            try engine.prune(options { $0.all = true }).items.filter { $0.kind == .layer }.count
                == diffIDs.count)
    }
}
