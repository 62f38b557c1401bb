import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

extension StoreTests {
    @Suite struct SplitsTests {
        private let splits = Splits(
            diffID: sha256([1]), tarSize: 300_000, streamSize: 300_000 - 65_536 - 70_144,
            records: [
                Split(offset: 512, length: 65_536, digest: sha256([2])),
                Split(offset: 131_072, length: 70_000, digest: sha256([3]), padding: [0, 9]),
            ], expanded: [sha256([4]), sha256([5])])

        @Test func comesBackFromItsBytes() throws {
            let bytes = splits.encoded()
            #expect(bytes.count == 80 + 2 * 56 + 512 + 2 * 32 + 32)
            #expect(Array(bytes.prefix(16)) == Array("LAMSPLIT".utf8) + [1, 0, 0, 0, 1, 0, 0, 0])
            #expect(Splits(decoding: bytes) == splits)
        }

        @Test func refusesEveryChangedByte() {
            let bytes = splits.encoded()
            for position in bytes.indices {
                var damaged = bytes
                damaged[position] ^= 0x10
                #expect(Splits(decoding: damaged) == nil, "byte \(position)")
            }
            for length in stride(from: 0, to: bytes.count, by: 7) {
                #expect(Splits(decoding: Array(bytes.prefix(length))) == nil)
            }
        }

        @Test func refusesWhatCannotBe() {
            func isRefused(_ change: (inout Splits) -> Void) -> Bool {
                var changed = splits
                change(&changed)
                return Splits(decoding: changed.encoded()) == nil
            }
            #expect(isRefused { $0.streamSize += 1 })
            #expect(isRefused { $0.tarSize = 0 })
            #expect(isRefused { $0.records[0].length = .max })
            #expect(isRefused { $0.records[1].offset = .max - 511 })
            #expect(isRefused { $0.records[1].offset = 100 })
            #expect(isRefused { $0.records.swapAt(0, 1) })
            #expect(isRefused { $0.records[1].padding = [UInt8](repeating: 1, count: 200) })
        }

        @Test func aDamagedLayerIsNoticed() throws {
            try withTemporaryPath { path in
                let store = try Store(at: path)
                var sink = RecordingSink()
                let staged = try store.ingestLayer(from: MemorySource(sampleTar()), into: &sink)
                let object = staged.summary.objects[0]
                try staged.publish()
                let diffID = sha256(sampleTar())
                let directory = ByteString("layers/\(diffID.hex)")
                let stream = try store.root.open(directory.appending("stream"), O_RDWR)
                let old = try stream.readBytes(at: 1024, count: 1)
                try stream.writeAll([old[0] ^ 1].raw, at: 1024)
                #expect(throws: StoreError.self) { try store.verifyLayer(diffID) }
                try stream.writeAll(old.raw, at: 1024)
                try store.verifyLayer(diffID)
                try stream.truncate(to: 1024)
                #expect(throws: StoreError.layer(.truncated(.none))) { try store.verifyLayer(diffID) }
                try store.remove(.object, object)
                #expect(throws: StoreError.self) { try store.verifyLayer(diffID) }
                try store.root.removeFile(directory.appending("splits"))
                #expect(throws: StoreError.missing(.layer, diffID)) { try store.verifyLayer(diffID) }
            }
        }
    }
}
