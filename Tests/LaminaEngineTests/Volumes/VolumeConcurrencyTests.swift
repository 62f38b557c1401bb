import Dispatch
import LaminaCatalog
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Synchronization
import Testing

@testable import LaminaEngine

/// Volumes come and go while sandboxes take them: nobody gets a volume without a directory, and nobody's
/// error is another than that somebody else was first.
@Suite struct VolumeConcurrencyTests {
    private static func isExpected(_ error: LaminaError) -> Bool {
        switch error.cause as? CatalogError {
        case .noVolume, .volumeInUse: true
        default: false
        }
    }

    @Test func volumesComeAndGo() throws {
        let directory = try TemporaryDirectory(inMemory: true)
        let root = directory.path.appending("store")
        let image = directory.path.appending("sample")
        try TestImage.sample().layout.write(to: image)
        _ = try Engine(root: root).load(.path(image))
        let errors = Mutex<[String]>([])
        let made = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            do throws(LaminaError) {
                // An engine of its own, as another process would have.
                let engine = try Engine(root: root)
                for round in 0..<15 {
                    do throws(LaminaError) {
                        try Self.step(worker, round, engine)
                        made.wrappingAdd(1, ordering: .relaxed)
                    } catch {
                        guard Self.isExpected(error) else { throw error }
                    }
                }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
        }
        #expect(errors.withLock { $0 } == [])
        #expect(made.load(ordering: .relaxed) > 40)
        let engine = try Engine(root: root)
        try check(engine)
        for sandbox in try engine.sandboxes() { try engine.remove(sandbox.id, volumes: true) }
        _ = try engine.pruneVolumes(all: true)
        _ = try engine.prune()
        #expect(try engine.store.root.openDirectory("volumes").isEmptyDirectory())
        #expect(try engine.store.root.openDirectory("ingest").isEmptyDirectory())
    }

    private static func step(_ worker: Int, _ round: Int, _ engine: Engine) throws(LaminaError) {
        let name = "volume\(round % 3)"
        switch worker % 4 {
        case 0: try engine.createVolume(name)
        case 1: try engine.removeVolume(name, force: true)
        case 2:
            let redirects = [
                try RedirectRequest(volume: ByteString("\(name):/d")),
                try RedirectRequest(volume: "/anonymous"),
            ]
            let sandbox = try engine.create("sample", redirects: redirects)
            for redirect in sandbox.redirects {
                let place = try engine.volume(redirect.source.description).directory
                if (try? FileStatus.of(place)) == nil {
                    throw LaminaError(.failure, "\(place)", "is missing")
                }
            }
            if round % 2 == 0 { try engine.remove(sandbox.id, volumes: true) }
        default:
            _ = try engine.pruneVolumes(all: round % 2 == 0)
            _ = try engine.prune()
        }
    }

    /// The catalogue's volumes and the directories are the same.
    private func check(_ engine: Engine) throws {
        let names = try engine.volumes().map(\.name)
        for name in names { #expect((try? FileStatus.of(engine.volume(name).directory)) != nil, "\(name)") }
        let entries = try engine.store.root.openDirectory("volumes").entries()
        #expect(entries.map { "\($0.name)" }.sorted() == names.sorted())
    }
}
