import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

/// All suites of the store, one test at a time, because faults are injected process-wide.
@Suite(.serialized) struct StoreTests {
    @Test func makesItsRoomsPrivate() throws {
        try withTemporaryPath { path in
            let root = path.appending("a/root")
            let store = try Store(at: root)
            _ = try Store(at: root)
            for room in ["", "/blobs", "/blobs/sha256", "/objects", "/layers", "/chains", "/ingest"]
                as [ByteString]
            {
                #expect(try FileStatus.of(root + room).mode & 0o7777 == 0o700, "\(room)")
            }
            #expect(try content(of: store) == [])
            let file = try store.root.open("file", O_WRONLY | O_CREAT, permissions: 0o600)
            _ = consume file
            #expect(throws: StoreError.unusableRoot(root.appending("file"), "\(Errno.notDirectory)")) {
                _ = try Store(at: root.appending("file"))
            }
        }
    }

    @Test func keepsAndVerifiesDocuments() throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            let bytes = Array("{}".utf8)
            let digest = try store.putBlob(bytes)
            #expect(try store.putBlob(bytes, expecting: digest) == digest)
            #expect(try store.readBlob(digest) == bytes)
            #expect(throws: StoreError.digestMismatch(.blob, expected: digest, found: sha256([1]))) {
                try store.putBlob([1], expecting: digest)
            }
            #expect(throws: StoreError.missing(.blob, sha256([2]))) { try store.readBlob(sha256([2])) }
            #expect(throws: StoreError.system("read blob \(digest)", .fileTooLarge)) {
                try store.readBlob(digest, limit: 1)
            }
            #expect(try store.inventory(.blob).map(\.digest) == [digest])
            try store.remove(.blob, digest)
            try store.remove(.blob, digest)
            #expect(try store.inventory(.blob).isEmpty && !store.hasBlob(digest))
        }
    }

    @Test func noticesADamagedBlob() throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            let digest = try store.putBlob([1, 2, 3])
            let name = ByteString("blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)")
            try store.root.open(name, O_WRONLY).writeAll([9])
            #expect(throws: StoreError.digestMismatch(.blob, expected: digest, found: sha256([9, 2, 3]))) {
                try store.readBlob(digest)
            }
        }
    }

    @Test func stagesChains() throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            let id = sha256([7])
            do {
                let dropped = try store.stageChain(id)
                try dropped.file.writeAll([1])
            }
            #expect(!store.hasChain(id))
            for byte in [5, 6] as [UInt8] {
                let staged = try store.stageChain(id)
                try staged.file.writeAll([byte])
                try staged.publish()
            }
            #expect(try store.openChain(id).readBytes(at: 0, count: 9) == [5])
            #expect(try content(of: store).count == 1)
            try store.remove(.chain, id)
            #expect(try store.inventory(.chain).isEmpty)
        }
    }

    @Test func listsAndRemovesEverything() throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            let tar = sampleTar()
            var sink = RecordingSink()
            let staged = try store.ingestLayer(from: MemorySource(compress(tar, .gzip)), into: &sink)
            let objects = staged.summary.objects
            #expect(try store.leftovers().isEmpty, "a directory in use is no leftover")
            try staged.publish()
            #expect(try Set(store.inventory(.object).map(\.digest)) == Set(objects))
            #expect(try store.inventory(.object).map(\.diskSize).reduce(0, +) >= 1_300_001 + 65_536 + 70_001)
            #expect(try Set(store.readSplits(sha256(tar)).records.map(\.digest)) == Set(objects))
            let layers = try store.inventory(.layer)
            #expect(layers.map(\.digest) == [sha256(tar)] && layers[0].diskSize > 4096)
            for kind in StoreContent.allCases {
                for item in try store.inventory(kind) { try store.remove(kind, item.digest) }
            }
            #expect(try StoreContent.allCases.allSatisfy { try store.inventory($0).isEmpty })
        }
    }

    @Test func removesLeftoversOfTheDead() throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            let ingest = try store.root.openDirectory("ingest")
            try ingest.makeDirectories("1-abc/layer")
            try ingest.makeDirectories("2-def")
            let held = try ingest.openDirectory("2-def")
            try held.lock(exclusive: true)
            #expect(try store.leftovers().map(\.name) == ["1-abc"])
            let leftover = try #require(store.leftovers().first)
            var inUse = leftover
            inUse.name = "2-def"
            for item in [leftover, inUse] { try store.remove(item) }
            #expect(try ingest.entries().map(\.name) == ["2-def"])
            try held.unlock()
            #expect(try store.leftovers().map(\.name) == ["2-def"])
        }
    }
}
