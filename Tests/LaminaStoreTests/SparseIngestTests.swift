import Foundation
import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Synchronization
import Testing

/// Sparse files of every form: small, larger than a chunk of the ingest, without data, empty.
private let segments = [
    (offset: 4096, bytes: noise(5000, seed: 1)), (offset: 900_000, bytes: noise(600_001, seed: 2)),
    (offset: 2_999_999, bytes: [UInt8(1)]),
]

private func tar(_ form: SparseForm) -> [UInt8] {
    var tar = TarBuilder()
    tar.add("before", noise(70_000, seed: 3))
    tar.addSparse("big", form, size: 3_000_000, segments)
    tar.addSparse("small", form, size: 20_000, [(offset: 9_000, bytes: [7, 8])])
    tar.addSparse("holes", form, size: 100_000, [(offset: 100_000, bytes: [])])
    tar.addSparse("empty", form, size: 0, [])
    tar.addSparse("again", form, size: 3_000_000, segments)
    tar.add("after", [1, 2, 3])
    tar.end()
    return tar.bytes
}

private let bigFile: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 3_000_000)
    for segment in segments {
        bytes.replaceSubrange(segment.offset..<segment.offset + segment.bytes.count, with: segment.bytes)
    }
    return bytes
}()

extension StoreTests {
    @Suite struct SparseIngestTests {
        @Test(arguments: SparseForm.allCases)
        func expandsWithHolesAndGivesTheTarBack(_ form: SparseForm) throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let tar = tar(form)
                var sink = RecordingSink()
                let staged = try store.ingestLayer(
                    from: MemorySource(compress(tar, .zstd), step: 4099), into: &sink)
                let summary = staged.summary
                try staged.publish()
                try store.verifyLayer(sha256(tar))
                #expect(summary.objects.count == 4 && summary.tarSize - summary.streamSize == 70_144)
                let splits = try store.readSplits(sha256(tar))
                #expect(splits.records.count == 1 && splits.expanded.count == 3)
                #expect(Set(splits.objects) == Set(summary.objects))
                try check(store, sink.items)
            }
        }

        private func check(_ store: Store, _ items: [RecordingSink.Item]) throws {
            #expect(
                items.map(\.entry.path) == ["before", "big", "small", "holes", "empty", "again", "after"])
            var small = [UInt8](repeating: 0, count: 20_000)
            small.replaceSubrange(9_000..<9_002, with: [7, 8])
            let wanted = [bigFile, small, [UInt8](repeating: 0, count: 100_000)]
            for (item, bytes) in zip(items[1...3], wanted) {
                #expect(item.data == .object(sha256(bytes), length: UInt64(bytes.count)))
                let file = try store.openObject(sha256(bytes))
                #expect(try file.readAll(limit: 1 << 23) == bytes)
                // Holes take no blocks.
                #expect(try file.seek(to: 0, whence: SeekFlag.hole) < bytes.count)
            }
            #expect(items[4].data == .empty && items[5].data == items[1].data)
            let object = try store.openObject(sha256(bigFile))
            #expect(try object.seek(to: 0, whence: SeekFlag.data) == 4096)
            #expect(try object.status().blocks * 512 < 700_000)
        }

        @Test func anExpandedObjectIsVerifiedAndNeeded() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let tar = tar(.pax10)
                var sink = RecordingSink()
                try store.ingestLayer(from: MemorySource(tar), into: &sink).publish()
                let digest = sha256(bigFile)
                let name = ByteString("objects/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))")
                try store.root.open(name, O_RDWR).writeAll([9].raw, at: 0)
                #expect(throws: StoreError.self) { try store.verifyLayer(sha256(tar)) }
                try store.remove(.object, digest)
                #expect(throws: StoreError.missing(.object, digest)) { try store.verifyLayer(sha256(tar)) }
            }
        }

        /// A payload of the same bytes, before or behind, is the same object.
        @Test(arguments: [true, false])
        func sharesItsObjectWithAPlainFile(_ plainFirst: Bool) throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                var tar = TarBuilder()
                if plainFirst { tar.add("plain", bigFile) }
                tar.addSparse("sparse", .pax01, size: bigFile.count, segments)
                if !plainFirst { tar.add("plain", bigFile) }
                var sink = RecordingSink()
                let staged = try store.ingestLayer(from: MemorySource(tar.bytes), into: &sink)
                #expect(staged.summary.objects == [sha256(bigFile)])
                try staged.publish()
                try store.verifyLayer(sha256(tar.bytes))
                #expect(sink.items[0].data == sink.items[1].data)
                #expect(try store.inventory(.object).count == 1)
            }
        }

        @Test func refusesTooMuchBeforeItIsHashed() throws {
            let corpus = URL(filePath: #filePath).appending(
                path: "../../LaminaCodecTests/Corpus/go/gnu-sparse-big.tar"
            ).standardized
            let tar = try Array(Data(contentsOf: corpus))
            try withTemporaryPath { path in
                let store = try Store(at: path)
                var sink = RecordingSink()
                let refusal = StoreError.layer(.layer(.sparseTooLarge("gnu-sparse", limit: 8 << 30)))
                #expect(throws: refusal) {
                    try store.ingestLayer(from: MemorySource(tar), into: &sink).publish()
                }
                #expect(try content(of: store) == [])
            }
        }

        /// Along a hole, too, somebody may want the ingest to stop.
        @Test func stopsAlongAHole() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                var tar = TarBuilder()
                tar.addSparse("hole", .pax10, size: 8 << 30, [])
                tar.end()
                let calls = CallCounter()
                var options = IngestOptions()
                options.progress = { _ in calls.next() < 3 }
                var sink = RecordingSink()
                #expect(throws: StoreError.layer(.cancelled)) {
                    try store.ingestLayer(from: MemorySource(tar.bytes), options: options, into: &sink)
                        .publish()
                }
                #expect(calls.next() < 6)
                #expect(try content(of: store) == [])
            }
        }
    }
}

/// Counts calls from any thread.
private final class CallCounter: Sendable {
    private let count = Mutex(0)

    /// How many calls there were before this one.
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count - 1
        }
    }
}
