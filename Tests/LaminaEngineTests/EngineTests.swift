import Dispatch
import Foundation
import LaminaCore
import LaminaTestSupport
import Synchronization
import Testing

@testable import LaminaEngine

/// A prune of all that is unused.
private let everything: PruneOptions = {
    var options = PruneOptions()
    options.all = true
    return options
}()

@Suite struct EngineTests {
    private func layout(_ image: TestImage, in directory: TemporaryDirectory, _ name: String) throws
        -> LoadInput
    {
        let path = directory.path.appending(ByteString(name))
        try image.layout.write(to: path)
        return .path(path)
    }

    @Test func loadsFromTheLibrary() throws {
        let directory = try TemporaryDirectory()
        let engine = try Engine(root: directory.path.appending("store"))
        let events = Mutex<[LoadEvent]>([])
        let loaded = try engine.load(layout(TestImage.sample(), in: directory, "sample")) { event in
            events.withLock { $0.append(event) }
        }
        #expect(loaded.map(\.references) == [["docker.io/library/sample:latest"]])
        let image = try engine.image("sample")
        #expect(image.id == loaded.first?.id && image.diffIDs.count == 2)
        let blobs = TestImage.sample().layers.map(\.blob)
        let documents = [TestImage.sample().manifest, TestImage.sample().config]
        #expect(image.contentSize == Int64((blobs + documents).reduce(0) { $0 + $1.count }))
        #expect(image.unpackedSize == Int64(TestImage.sample().layers.reduce(0) { $0 + $1.tar.count }))
        #expect(try engine.config(of: image) == TestImage.sample().config)
        for diffID in image.diffIDs {
            let own = events.withLock { $0 }.filter { $0.layer == diffID }.map(\.step)
            #expect(own.last == .loaded)
            if case .started? = own.first {} else { Issue.record("starts with \(own)") }
        }
    }

    @Test func withoutBlobsOnlyDocumentsAreKept() throws {
        let directory = try TemporaryDirectory()
        let engine = try Engine(root: directory.path.appending("store"))
        let input = try layout(TestImage.sample(), in: directory, "sample")
        _ = try engine.load(input, options: LoadOptions(keepBlobs: false))
        func blobs() throws -> Int {
            try fileList(below: engine.root).filter { $0.hasPrefix("blobs/") }.count
        }
        #expect(try blobs() == 2)
        // Asked to keep them later, the layers are read once more.
        _ = try engine.load(input)
        #expect(try blobs() == 4)
    }

    /// Cancelled at each event of a load in turn, until one is not reached.
    @Test func aCancelledLoadKeepsItsFinishedLayers() throws {
        let directory = try TemporaryDirectory()
        let input = try layout(TestImage.sample(), in: directory, "sample")
        for stop in 1...100 {
            let engine = try Engine(root: directory.path.appending(ByteString("store\(stop)")))
            let cancellation = Cancellation()
            let events = Mutex<[LoadEvent]>([])
            do {
                _ = try engine.load(input, options: LoadOptions(cancellation: cancellation)) { event in
                    events.withLock {
                        $0.append(event)
                        if $0.count == stop { cancellation.cancel() }
                    }
                }
                #expect(stop > 4 && !cancellation.isCancelled)
                return
            } catch {
                #expect(error.code == .interrupted)
            }
            #expect(try engine.images().isEmpty)
            let done = events.withLock { $0 }.filter { $0.step == .loaded }.map(\.layer)
            #expect(try Set(done) == engine.catalog.layers())
            for diffID in done { try engine.store.verifyLayer(diffID) }
            let again = Mutex<Set<Digest>>([])
            _ = try engine.load(input) { event in
                if event.step == .exists { _ = again.withLock { $0.insert(event.layer) } }
            }
            #expect(again.withLock { $0 } == Set(done))
            #expect(try engine.images().count == 1 && engine.prune().items.isEmpty)
        }
        Issue.record("a load without an end")
    }

    @Test func aFailedLoadKeepsWhatAnInterruptedOneLeft() throws {
        let directory = try TemporaryDirectory()
        let engine = try Engine(root: directory.path.appending("store"))
        let cancellation = Cancellation()
        let good = try layout(TestImage.sample(), in: directory, "good")
        #expect(throws: LaminaError.self) {
            _ = try engine.load(good, options: LoadOptions(cancellation: cancellation)) { event in
                if event.step == .loaded { cancellation.cancel() }
            }
        }
        let before = try (fileList(below: engine.root), engine.catalog.layers())
        #expect(!before.1.isEmpty)
        var image = TestImage.sample()
        image.layers[1].diffID = sha256([1])
        var tar = TarBuilder()
        tar.add("more", noise(70_000, seed: 8))
        tar.end()
        image.layers.append(TestImage.Layer(tar.bytes))
        let bad = try layout(image, in: directory, "bad")
        #expect(throws: LaminaError.self) { _ = try engine.load(bad) }
        #expect(try fileList(below: engine.root) == before.0)
        #expect(try engine.catalog.layers() == before.1)
    }

    @Test func loadsAndPrunesSideBySide() throws {
        let directory = try TemporaryDirectory()
        let root = directory.path.appending("store")
        // Each image has a layer of its own and one that all share.
        let inputs = try (0..<6).map { number in
            var tar = TarBuilder()
            tar.add("own", noise(70_000, seed: UInt64(number)))
            tar.end()
            let image = TestImage(TestImage.sample().layers + [TestImage.Layer(tar.bytes)])
            return try layout(image, in: directory, "image\(number)")
        }
        let errors = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: inputs.count * 2) { iteration in
            do {
                // An engine of its own, as another process would have.
                let engine = try Engine(root: root)
                if iteration % 2 == 0 {
                    _ = try engine.load(inputs[iteration / 2])
                    _ = try engine.create("image\(iteration / 2)")
                } else {
                    _ = try engine.prune()
                }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
        }
        #expect(errors.withLock { $0 } == [])
        let engine = try Engine(root: root)
        #expect(try engine.images().count == inputs.count)
        #expect(try engine.prune().items.isEmpty)
        for image in try engine.images() {
            #expect(engine.store.hasChain(image.chainID))
            for diffID in image.diffIDs { try engine.store.verifyLayer(diffID) }
        }
        for sandbox in try engine.sandboxes() { try engine.remove(sandbox.id) }
        _ = try engine.prune(everything)
        #expect(try fileList(below: root) == [])
    }

    /// What a program puts together itself is held to the rules of `-v`.
    @Test(arguments: [
        (Redirect(.volume, source: "../../x", target: "/d"), "includes invalid characters"),
        (Redirect(.tmpfs, target: "/"), "destination can't be '/'"),
        (Redirect(.tmpfs, target: "d"), "absolute"),
        (Redirect(.bind, source: "d", target: "/d"), "absolute"), (Redirect(.image, target: "/d"), "Source"),
    ])
    func refusesRedirectsThatAreNone(_ redirect: Redirect, _ reason: String) throws {
        let directory = try TemporaryDirectory()
        let engine = try Engine(root: directory.path.appending("store"))
        _ = try engine.load(layout(TestImage.sample(), in: directory, "sample"))
        #expect {
            _ = try engine.create("sample", redirects: [RedirectRequest(redirect)])
        } throws: { error in
            let error = error as? LaminaError
            return error?.code == .usage && error?.message.contains(reason) == true
        }
        #expect(try engine.sandboxes().isEmpty)
    }

    @Test func errorsCarryACodeAndACause() throws {
        let directory = try TemporaryDirectory()
        let engine = try Engine(root: directory.path.appending("store"))
        #expect {
            _ = try engine.load(.path("/nothing/here"))
        } throws: { error in
            let error = error as? LaminaError
            return error?.code == .notFound && error?.message == "/nothing/here: No such file or directory"
                && error?.cause as? Errno == .noSuchFileOrDirectory
        }
    }
}
