import GRDB
import Glibc
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaCatalog
@testable import LaminaEngine

@Suite struct CheckTests {
    private let directory: TemporaryDirectory
    private let engine: Engine

    init() throws {
        directory = try TemporaryDirectory()
        engine = try Engine(root: directory.path.appending("store"))
        try load()
    }

    private func load() throws {
        var tar = TarBuilder()
        tar.add("own", noise(200_000, seed: 7))
        tar.end()
        let path = directory.path.appending("image")
        try TestImage(TestImage.sample().layers + [TestImage.Layer(tar.bytes)]).layout.write(to: path)
        _ = try engine.load(.path(path))
    }

    private func problems(deep: Bool = true, repair: Bool = false) throws -> [StoreProblem] {
        var options = CheckOptions()
        options.deep = deep
        options.repair = repair
        var found: [StoreProblem] = []
        try engine.check(options) { found.append($0) }
        return found
    }

    /// Each file of content, below the root.
    private func files() throws -> [ByteString] {
        try fileList(below: engine.root).map { ByteString(String($0.split(separator: " ")[0])) }
    }

    /// Changes one bit in the middle of a file.
    private func damage(_ path: ByteString) throws {
        let file = try Descriptor.open(engine.root.appending(path), O_RDWR)
        let middle = try file.status().size / 2
        let byte = try file.readBytes(at: middle, count: 1)
        try file.writeAll([byte[0] ^ 0x10].raw, at: middle)
    }

    @Test func aWholeStoreHasNoProblem() throws {
        #expect(try problems(deep: false) == [] && problems() == [])
        _ = try engine.create("\(try #require(engine.images().first).id)")
        #expect(try problems(repair: true) == [])
    }

    /// Their rows come first: a load may be killed before it brings what it told of.
    @Test func aDroppedBlobThatNeverCameIsNoProblemAndIsForgotten() throws {
        let blobs = try engine.catalog.knownContent().layerBlobs.map { ContentRecord(.blob, $0) }
        #expect(!blobs.isEmpty)
        var drop = PruneOptions()
        drop.dropBlobs = true
        _ = try engine.prune(drop)
        try engine.catalog.whileKnown(blobs) {}
        #expect(try problems() == [])
        #expect(try engine.catalog.knownContent().contents.isSuperset(of: blobs))
        _ = try engine.prune()
        #expect(try engine.catalog.knownContent().contents.isDisjoint(with: blobs))
        try engine.verifyUsage()
        try load()
        #expect(try problems() == [])
    }

    /// One bit in each file in turn: it is named, and mended where something is left to mend it from.
    @Test func everyDamagedFileIsNamedAndMended() throws {
        for file in try files() {
            let before = try files()
            try damage(file)
            let found = try problems()
            #expect(!found.isEmpty, "\(file)")
            let outcome = try problems(repair: true).map(\.outcome)
            let isDocument = try isDocument(file)
            let isMended = outcome.allSatisfy { if case .repaired = $0 { true } else { false } }
            #expect(isMended != isDocument, "\(file): \(outcome)")
            if isDocument {
                try damage(file)
                #expect(try problems() == [], "\(file)")
                continue
            }
            #expect(try problems() == [], "\(file)")
            for image in try engine.images() { try engine.verify(image) }
            // A layer's blob is dropped; the next load brings it back.
            if file.hasPrefix("blobs/") { try load() }
            #expect(try files() == before, "\(file)")
        }
    }

    /// Whether a file is a config or a manifest, which nothing else has.
    private func isDocument(_ file: ByteString) throws -> Bool {
        guard file.hasPrefix("blobs/") else { return false }
        return try engine.images().contains { image in
            ([image.id] + image.manifests).contains { file.description.hasSuffix($0.hex) }
        }
    }

    @Test func everyMissingFileIsNamed() throws {
        for file in try files() {
            let path = engine.root.appending(file)
            let away = directory.path.appending("away")
            let here = try Descriptor.workingDirectory()
            try here.rename(path, to: here, away)
            let found = try problems(deep: false)
            #expect(!found.isEmpty, "\(file)")
            try here.rename(away, to: here, path)
            #expect(try problems(deep: false) == [], "\(file)")
        }
    }

    /// Without its blob a damaged object cannot be made anew; a damaged index can.
    @Test func withoutBlobsOnlyIndexesAreMended() throws {
        var drop = PruneOptions()
        drop.dropBlobs = true
        _ = try engine.prune(drop)
        let files = try files()
        let index = try #require(files.first { $0.description.hasSuffix("index.erofs") })
        try damage(index)
        #expect(
            try problems(repair: true).allSatisfy { if case .repaired = $0.outcome { true } else { false } })
        let object = try #require(files.first { $0.hasPrefix("objects/") })
        try damage(object)
        let left = try problems(repair: true)
        #expect(
            left.contains { $0.outcome == .left("its blob is not kept; load the image again") }, "\(left)")
    }

    /// A layer that cannot say which objects it has is no reason to take them for nobody's.
    @Test func aLostListCostsNoObject() throws {
        var options = PruneOptions()
        options.dropBlobs = true
        _ = try engine.prune(options)
        let objects = try files().filter { $0.hasPrefix("objects/") }
        for splits in try files().filter({ $0.description.hasSuffix("splits") }) { try damage(splits) }
        #expect(try !problems(repair: true).isEmpty)
        _ = try engine.prune(options)
        try engine.catalog.queue.write { try $0.execute(sql: "DELETE FROM accounted") }
        #expect {
            _ = try engine.prune(options)
        } throws: { error in
            "\(error)".contains("has lost its list of objects")
        }
        #expect(try files().filter { $0.hasPrefix("objects/") } == objects)
    }
}
