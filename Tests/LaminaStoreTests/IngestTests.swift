import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Synchronization
import Testing

/// Small files, files of one and several chunks, odd padding, rubbish behind the end.
private let sample: [UInt8] = {
    var tar = TarBuilder()
    tar.add("bin/", type: "5", mode: 0o755)
    tar.add("bin/small", noise(700, seed: 1))
    tar.add("bin/exact", noise(65_536, seed: 2))
    tar.add("bin/big", bigFile)
    tar.add("bin/again", noise(65_536, seed: 2))
    tar.add("bin/below", noise(65_535, seed: 4))
    tar.add("bin/link", type: "1", link: "bin/small")
    // Padding that is not zero has to come back too.
    var odd = TarBuilder()
    odd.add("bin/odd", size: 70_001)
    tar.addRaw(odd.bytes + noise(70_001, seed: 5))
    tar.pad(with: 0x2A)
    tar.add("bin/empty")
    tar.end()
    tar.addRaw(Array("trailing".utf8))
    return tar.bytes
}()

/// Longer than a chunk of the ingest.
private let bigFile = noise(1_300_001, seed: 3)

/// The tar most tests load.
func sampleTar() -> [UInt8] { sample }

/// The files in the store's rooms, and the directories in `ingest`; nothing in an empty store.
func content(of store: Store) throws -> [String] {
    var result = try store.root.openDirectory("ingest").entries().map { "ingest/\($0.name)" }
    for room in ["blobs/sha256", "objects", "layers", "chains"] as [ByteString] {
        result += try files(in: store.root.openDirectory(room), "\(room)")
    }
    return result.sorted()
}

private func files(in directory: borrowing Descriptor, _ path: String) throws -> [String] {
    var result: [String] = []
    for entry in try directory.entries() {
        let name = "\(path)/\(entry.name)"
        result += entry.type == .directory ? try files(in: directory.openDirectory(entry.name), name) : [name]
    }
    return result
}

/// What went wrong on other threads.
private final class Failures: Sendable {
    private let errors = Mutex<[StoreError]>([])
    var all: [StoreError] { errors.withLock { $0 } }
    func add(_ error: StoreError) { errors.withLock { $0.append(error) } }
}

extension StoreTests {
    @Suite struct IngestTests {
        @Test(arguments: Compression.allCases)
        func storesALayerAndGivesItBack(_ compression: Compression) throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let tar = sampleTar()
                let diffID = sha256(tar)
                let blob = compress(tar, compression)
                let expected = LayerExpectation(
                    compression: compression, blobDigest: sha256(blob), blobSize: UInt64(blob.count),
                    diffID: diffID)
                var sink = RecordingSink()
                let staged = try store.ingestLayer(
                    from: MemorySource(blob, step: 10_007), expecting: expected, into: &sink)
                let summary = staged.summary
                #expect(try content(of: store).filter { !$0.hasPrefix("ingest/") } == [])
                try staged.publish()

                #expect(summary.diffID == diffID && summary.tarSize == UInt64(tar.count))
                #expect(summary.entryCount == 9 && summary.objects.count == 3 && summary.newObjectCount == 3)
                #expect(
                    summary.blobKept == (compression != .none)
                        && store.hasBlob(summary.blobDigest) == summary.blobKept)
                #expect(store.hasLayer(diffID))
                try store.verifyLayer(diffID)
                #expect(try content(of: store).filter { $0.hasPrefix("ingest/") } == [])
                try checkData(store, diffID, sink.items)
            }
        }

        /// Members and frames decoded by several threads make the same layer.
        @Test(arguments: [Compression.gzip, .zstd], [2, 4])
        func storesALayerOfSeveralMembers(_ compression: Compression, _ threads: Int) throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                var builder = TarBuilder()
                for number in 0..<12 {
                    builder.add("\(number)", noise(600_000, seed: UInt64(number)))
                    builder.add("zeros \(number)", [UInt8](repeating: 0, count: 900_000))
                }
                builder.end()
                let tar = builder.bytes
                var blob: [UInt8] = []
                for start in stride(from: 0, to: tar.count, by: 300_001) {
                    blob += compress(Array(tar[start..<min(start + 300_001, tar.count)]), compression)
                }
                var options = IngestOptions()
                options.decodingThreads = threads
                let expected = LayerExpectation(
                    compression: compression, blobDigest: sha256(blob), blobSize: UInt64(blob.count),
                    diffID: sha256(tar))
                var sink = RecordingSink()
                try store.ingestLayer(
                    from: MemorySource(blob), expecting: expected, options: options, into: &sink
                ).publish()
                try store.verifyLayer(sha256(tar))
                #expect(try sha256(store.readBlob(sha256(blob), limit: 1 << 24)) == sha256(blob))
                #expect(throws: StoreError.layer(.truncated(compression))) {
                    var sink = RecordingSink()
                    _ = try store.ingestLayer(
                        from: MemorySource(Array(blob.dropLast(2))), options: options, into: &sink)
                }
            }
        }

        /// Every file's bytes are where the sink was told.
        private func checkData(_ store: Store, _ diffID: Digest, _ items: [RecordingSink.Item]) throws {
            let stream = try store.openLayer(diffID, StorePath.stream)
            let wanted: [ByteString: [UInt8]] = [
                "bin/small": noise(700, seed: 1), "bin/exact": noise(65_536, seed: 2),
                "bin/big": bigFile, "bin/again": noise(65_536, seed: 2),
                "bin/below": noise(65_535, seed: 4), "bin/odd": noise(70_001, seed: 5), "bin/empty": [],
            ]
            for item in items where item.entry.kind == .file {
                let bytes: [UInt8]
                switch item.data {
                case .empty: bytes = []
                case .stream(let offset, let length):
                    #expect(offset % 512 == 0 && length < 65_536)
                    bytes = try stream.readBytes(at: Int64(offset), count: Int(length))
                case .object(let digest, let length):
                    #expect(length >= 65_536)
                    bytes = try store.openObject(digest).readBytes(at: 0, count: Int(length) + 1)
                }
                #expect(bytes == wanted[item.entry.path], "\(item.entry.path)")
            }
            #expect(items.filter { $0.entry.kind == .file }.count == wanted.count)
        }

        @Test func publishingTwiceKeepsOneCopy() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let tar = sampleTar()
                var sink = RecordingSink()
                let first = try store.ingestLayer(from: MemorySource(tar), into: &sink)
                let second = try store.ingestLayer(from: MemorySource(tar), into: &sink)
                #expect(second.summary.newObjectCount == 3)
                try first.publish()
                let before = try content(of: store).filter { !$0.hasPrefix("ingest/") }
                try second.publish()
                #expect(try content(of: store) == before)
                let third = try store.ingestLayer(from: MemorySource(tar), into: &sink)
                #expect(third.summary.newObjectCount == 0 && third.summary.objects.count == 3)
                try third.publish()
                #expect(try content(of: store) == before)
                try store.verifyLayer(sha256(tar))
            }
        }

        @Test func loadsOfOneLayerAtOnceKeepOneCopy() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let failures = Failures()
                try withLoads(4, of: sampleTar(), in: [store, try Store(at: path)]) { failures.add($0) }
                #expect(failures.all.isEmpty)
                try store.verifyLayer(sha256(sampleTar()))
                #expect(try content(of: store).count == 5)
            }
        }

        /// Runs `count` loads of one tar on threads of their own and waits for all.
        private func withLoads(
            _ count: Int, of tar: [UInt8], in stores: [Store],
            _ report: @escaping @Sendable (StoreError) -> Void
        ) throws {
            guard count > 0 else { return }
            let worker = try Worker(stores[count % stores.count]) { store in
                do throws(StoreError) {
                    var sink = RecordingSink()
                    try store.ingestLayer(from: MemorySource(tar), into: &sink).publish()
                } catch {
                    report(error)
                }
            }
            try withLoads(count - 1, of: tar, in: stores, report)
            worker.join()
        }

        @Test func refusesWhatDoesNotMatch() throws {
            let blob = compress(sampleTar(), .gzip)
            let wrong = sha256([1])
            var byBlob = LayerExpectation()
            byBlob.blobDigest = wrong
            var byDiff = LayerExpectation()
            byDiff.diffID = wrong
            var bySize = LayerExpectation()
            bySize.blobSize = 1
            for expected in [byBlob, byDiff, bySize, LayerExpectation(compression: .zstd)] {
                try expectRefusal(of: blob, expecting: expected)
            }
        }

        @Test func refusesDamagedAndHostileLayers() throws {
            let tar = sampleTar()
            try expectRefusal(of: Array(compress(tar, .gzip).dropLast(9)))
            try expectRefusal(of: Array(compress(tar, .zstd).dropLast(1)))
            try expectRefusal(of: Array(compress(tar, .lz4).dropLast(1)))
            try expectRefusal(of: Array(tar.prefix(800)))
            var escape = TarBuilder()
            escape.add("a/../../etc/passwd", [1])
            try expectRefusal(of: escape.bytes)
            try expectRefusal(of: tar, sink: RecordingSink(refusing: "bin/odd"))
        }

        @Test func keepsTheLimits() throws {
            var options = IngestOptions()
            options.limits.entries = 5
            try expectRefusal(of: sampleTar(), options: options)
            options = IngestOptions()
            options.limits.tarSize = 1 << 20
            try expectRefusal(of: sampleTar(), options: options)
            options = IngestOptions()
            options.limits.freeExpansion = 1 << 20
            options.limits.expansion = 4
            var zeros = TarBuilder()
            zeros.add("zeros", [UInt8](repeating: 0, count: 8 << 20))
            for compression in [Compression.gzip, .zstd, .lz4] {
                try expectRefusal(of: compress(zeros.bytes, compression), options: options)
            }
            options = IngestOptions()
            options.progress = { _ in false }
            try expectRefusal(of: sampleTar(), options: options)
        }

        /// The ingest throws and the store is as empty as before.
        private func expectRefusal(
            of blob: [UInt8], expecting expected: LayerExpectation = LayerExpectation(),
            options: IngestOptions = IngestOptions(), sink: RecordingSink = RecordingSink()
        ) throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                var sink = sink
                #expect(throws: StoreError.self) {
                    try store.ingestLayer(
                        from: MemorySource(blob), expecting: expected, options: options, into: &sink
                    ).publish()
                }
                #expect(try content(of: store) == [])
            }
        }
    }
}
