import Glibc
import LaminaCodec
import LaminaCore
@testable import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Six MiB and a bit: more than both halves of an ingest hold between them.
private let payload = noise((6 << 20) + 77, seed: 11)

/// A tar of one file and a name that sets it apart.
private func tar(_ name: String, _ payload: [UInt8]) -> [UInt8] {
    var tar = TarBuilder()
    tar.add(name, payload)
    tar.add("small \(name)", [1])
    tar.end()
    return tar.bytes
}

private func changed(at place: Int) -> [UInt8] {
    var other = payload
    other[place] ^= 0x20
    return other
}

private func path(of object: Digest) -> ByteString {
    ByteString("objects/\(object.hex.prefix(2))/\(object.hex.dropFirst(2))")
}

/// Gives a tar and does something when `place` of it is passed.
private struct HookedSource: ByteSource {
    private var source: MemorySource
    private var left: Int
    private let action: @Sendable () -> Void

    init(_ bytes: [UInt8], at place: Int, _ action: @escaping @Sendable () -> Void) {
        source = MemorySource(bytes, step: 1 << 16)
        left = place
        self.action = action
    }

    @unsafe
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        let got = try unsafe source.read(into: buffer)
        if left > 0 && left <= got { action() }
        left -= got
        return got
    }
}

/// What an object of the store costs a layer that brings it again.
extension StoreTests {
    @Suite struct KnownObjectTests {
        @discardableResult
        private func load(_ tar: [UInt8], into store: Store) throws -> LayerSummary {
            var sink = RecordingSink()
            let staged = try store.ingestLayer(from: MemorySource(tar), into: &sink)
            let summary = staged.summary
            try staged.publish()
            try store.verifyLayer(sha256(tar))
            return summary
        }

        /// How many calls of a kind `body` makes; on this thread and its workers.
        private func calls(of point: FaultPoint, _ body: () throws -> Void) throws -> Int {
            let many: UInt32 = 1 << 30
            return try FaultGate.exclusive {
                FaultInjection.arm(point, count: many, action: .fail(.ioError))
                defer { FaultInjection.disarm() }
                try body()
                return Int(many - FaultInjection.callsLeft)
            }
        }

        /// Files made and writes done to stage `tar` in `store`; nothing of it stays.
        private func cost(of tar: [UInt8], in store: Store) throws -> (files: Int, writes: Int) {
            func stage() throws {
                var sink = RecordingSink()
                _ = try store.ingestLayer(from: MemorySource(tar), into: &sink)
            }
            return (try calls(of: .create, stage), try calls(of: .write, stage))
        }

        private func object(_ digest: Digest, of store: Store) throws -> [UInt8] {
            try store.openObject(digest).readAll(limit: 1 << 24)
        }

        @Test(arguments: [true, false])
        func aKnownObjectIsNotWritten(_ sameProcess: Bool) throws {
            try withTemporaryPath { path in
                var store = try Store(at: path)
                let fresh = try cost(of: tar("b", payload), in: store)
                try load(tar("a", payload), into: store)
                if !sameProcess { store = try Store(at: path) }
                let known = try cost(of: tar("b", payload), in: store)
                #expect(fresh.files - known.files == 1, "\(fresh) \(known)")
                #expect(fresh.writes - known.writes >= payload.count / Store.chunkSize, "\(fresh) \(known)")
                let summary = try load(tar("b", payload), into: store)
                #expect(summary.objects == [sha256(payload)] && summary.newObjectCount == 0)
            }
        }

        @Test(arguments: [0, (1 << 18) - 512, 3_000_000, payload.count - 1])
        func aDifferenceMakesAnObjectOfItsOwn(_ place: Int) throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let other = changed(at: place)
                let fresh = try cost(of: tar("b", other), in: store)
                try load(tar("a", payload), into: store)
                let after = try cost(of: tar("b", other), in: store)
                #expect(after.files == fresh.files)
                // What is equal comes from the object, in few calls.
                #expect(after.writes <= fresh.writes - place / Store.chunkSize + 1, "\(fresh) \(after)")
                let summary = try load(tar("b", other), into: store)
                #expect(summary.objects == [sha256(other)] && summary.newObjectCount == 1)
                #expect(try object(sha256(other), of: store) == other)
                #expect(try object(sha256(payload), of: store) == payload)
            }
        }

        @Test func findsTheOneAmongSeveralOfASize() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let all = (0..<6).map { changed(at: $0) }
                for (number, bytes) in all.enumerated() { try load(tar("\(number)", bytes), into: store) }
                let written = try cost(of: tar("n", payload), in: store)
                let known = try all.map { try cost(of: tar("n", $0), in: store) }
                for cost in known.prefix(4) { #expect(cost.files == written.files - 1) }
                for bytes in all {
                    #expect(try load(tar("n", bytes), into: store).newObjectCount == 0)
                }
            }
        }

        /// Loads the payload again and changes its object on the way.
        private func reload(
            _ store: Store, _ change: @escaping @Sendable (borrowing Descriptor, ByteString) throws -> Void
        ) throws -> LayerSummary {
            let name = path(of: sha256(payload))
            let source = HookedSource(tar("b", payload), at: 4 << 20) {
                do { try change(store.root, name) } catch { Issue.record(error) }
            }
            var sink = RecordingSink()
            let staged = try store.ingestLayer(from: source, into: &sink)
            let summary = staged.summary
            try staged.publish()
            return summary
        }

        @Test func anObjectThatVanishesIsWritten() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                try load(tar("a", payload), into: store)
                let summary = try reload(store) { root, name in try root.removeFile(name) }
                #expect(summary.newObjectCount == 1)
                try store.verifyLayer(sha256(tar("b", payload)))
                #expect(try object(sha256(payload), of: store) == payload)
            }
        }

        /// One that is cut behind what was compared differs; one cut before takes bytes away that
        /// are kept nowhere else, and the layer is refused.
        @Test func anObjectThatIsCutDoesNoHarm() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                try load(tar("a", payload), into: store)
                let summary = try reload(store) { root, name in
                    try root.open(name, O_WRONLY).truncate(to: 5 << 20)
                }
                #expect(summary.diffID == sha256(tar("b", payload)))
            }
            try withTemporaryPath { path in
                let store = try Store(at: path)
                try load(tar("a", payload), into: store)
                let before = try content(of: store)
                #expect(throws: StoreError.system("write an object", .ioError)) {
                    _ = try reload(store) { root, name in
                        try root.open(name, O_WRONLY).truncate(to: 100_000)
                    }
                }
                #expect(try content(of: store) == before)
            }
        }

        /// The disk is full at any write or new file of a payload that differs late.
        @Test(arguments: [FaultPoint.write, .create]) func aFailureLeavesNoTrace(_ point: FaultPoint) throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                let first = Array(payload.prefix(1 << 20))
                var other = first
                other[900_000] ^= 1
                try load(tar("a", first), into: store)
                let before = try content(of: store)
                var failures: UInt32 = 0
                while failures < 100 {
                    let error = FaultGate.exclusive {
                        FaultInjection.arm(point, count: failures + 1, action: .fail(.noSpace))
                        defer { FaultInjection.disarm() }
                        do throws(StoreError) {
                            var sink = RecordingSink()
                            _ = try store.ingestLayer(from: MemorySource(tar("b", other)), into: &sink)
                            return nil as StoreError?
                        } catch {
                            return error
                        }
                    }
                    #expect(try content(of: store) == before)
                    guard let error else { break }
                    var isNamed = error == .layer(.write(.noSpace))
                    if case .system(_, .noSpace) = error { isNamed = true }
                    #expect(isNamed, "\(error)")
                    failures += 1
                }
                #expect(failures > 3 && failures < 100)
            }
        }

        /// Bytes under a name that is not theirs are compared and not believed.
        @Test func anObjectOfAWrongNameIsNotTaken() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                try load(tar("a", payload), into: store)
                let other = changed(at: 5_000_000)
                try store.root.open(Self.name(payload), O_WRONLY)
                    .writeAll([other[5_000_000]].raw, at: 5_000_000)
                let summary = try load(tar("b", other), into: store)
                #expect(summary.objects == [sha256(other)] && summary.newObjectCount == 1)
                #expect(try object(sha256(other), of: store) == other)
            }
        }

        private static func name(_ bytes: [UInt8]) -> ByteString { path(of: sha256(bytes)) }
    }
}
