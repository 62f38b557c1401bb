// The format of counter files: its golden bytes, what a reader makes of them, and what it refuses.

import LaminaCore
import Testing

@Suite struct CounterSnapshotTests {
    /// A file whose words the test sets.
    private struct File {
        var bytes: [UInt8]

        init() {
            bytes = CounterFormat.header(process: 0x0102_0304, started: 0x1122_3344_5566_7788)
            bytes += [UInt8](repeating: 0, count: CounterFormat.fileSize - bytes.count)
        }

        mutating func set(block: Int, row: Int, word: Int, to value: UInt64) {
            let offset = 4096 + ((block * 64 + row) * 32 + word) * 8
            for index in 0..<8 {
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
            }
        }
    }

    @Test func headerIsGolden() {
        let header = CounterFormat.header(process: 0x0102_0304, started: 0x1122_3344_5566_7788)
        #expect(
            header == [
                0x4C, 0x41, 0x4D, 0x53, 0x54, 0x41, 0x54, 0x31, 1, 0, 0, 0, 0, 0x10, 0, 0, 64, 0, 0, 0, 64, 0,
                0,
                0, 32, 0, 0, 0, 4, 3, 2, 1, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
            ])
        #expect(CounterFormat.fileSize == 4096 + 64 * 16_384)
    }

    @Test func addsBlocksUp() throws {
        var file = File()
        // Two threads looked up, one of them reads just now, and the last block counted a lookup too.
        for (block, requests) in [(0, 3), (1, 4), (63, 1)] as [(Int, UInt64)] {
            file.set(block: block, row: 1, word: 0, to: requests)
        }
        file.set(block: 0, row: 1, word: 1, to: 2)
        file.set(block: 0, row: 1, word: 2, to: 5_000)
        file.set(block: 1, row: 1, word: 2, to: 7_000)
        file.set(block: 0, row: 1, word: 4, to: 1)
        file.set(block: 1, row: 1, word: 31, to: 6)
        file.set(block: 1, row: 15, word: 0, to: 1)
        file.set(block: 1, row: 15, word: 3, to: 99)
        file.set(block: 1, row: 0, word: 0, to: 15)
        file.set(block: 1, row: 0, word: 1, to: 1234)
        file.set(block: 5, row: 0, word: 8, to: 11)
        file.set(block: 6, row: 0, word: 10, to: 12)
        let snapshot = try CounterSnapshot(file.bytes.raw)
        #expect(snapshot.process == 0x0102_0304 && snapshot.started == 0x1122_3344_5566_7788)
        #expect(snapshot.operations.map(\.opcode) == [1, 15])
        let lookups = snapshot.operation(1)
        #expect(lookups.requests == 8 && lookups.errors == 2 && lookups.nanoseconds == 12_000)
        #expect(lookups.buckets.first == 1 && lookups.buckets.last == 6 && lookups.answered == 7)
        #expect(snapshot.bytesRead == 99 && snapshot.bytesWritten == 0)
        #expect(
            snapshot.work.count == 1 && snapshot.work.first?.opcode == 15
                && snapshot.work.first?.since == 1234)
        #expect(snapshot.count(of: .passthroughOpen) == 11 && snapshot.count(of: .copiedByBlock) == 12)
        #expect(snapshot.total.requests == 9 && snapshot.total.buckets.last == 6)
    }

    /// Numbers that no server writes: sums wrap, rows that are none count as none.
    @Test func noNumberTraps() throws {
        var file = File()
        for index in CounterFormat.headerSize..<file.bytes.count { file.bytes[index] = 0xFF }
        let snapshot = try CounterSnapshot(file.bytes.raw)
        #expect(snapshot.operations.count == 63 && snapshot.work.isEmpty)
        #expect(snapshot.operation(1).requests == UInt64.max &* 64)
        _ = (snapshot.total, snapshot.otherOpens)
    }

    @Test(arguments: [
        (0, 0x4D, CounterFileError.notCounters), (7, 0x32, .notCounters),
        (8, 2, .unsupportedVersion(2)), (8, 0, .unsupportedVersion(0)),
        (11, 0x80, .unsupportedVersion(0x8000_0001)),
        (13, 0x11, .layout), (16, 65, .layout), (19, 0xFF, .layout), (20, 0, .layout), (24, 31, .layout),
    ])
    func refusesOtherHeaders(_ offset: Int, _ byte: Int, _ error: CounterFileError) {
        var file = File()
        file.bytes[offset] = UInt8(byte)
        #expect(throws: error) { _ = try CounterSnapshot(file.bytes.raw) }
    }

    @Test(arguments: [0, 7, 8, 39]) func refusesCutHeaders(_ count: Int) {
        #expect(throws: CounterFileError.notCounters) {
            let bytes = Array(File().bytes[..<count])
            _ = try CounterSnapshot(bytes.raw)
        }
    }

    @Test(arguments: [40, 4096, CounterFormat.fileSize - 1, CounterFormat.fileSize + 1])
    func refusesOtherLengths(_ count: Int) {
        let bytes = Array((File().bytes + [0])[..<count])
        #expect(throws: CounterFileError.layout) { _ = try CounterSnapshot(bytes.raw) }
    }

    @Test(arguments: [
        (0, 0), (999, 0), (1000, 1), (1999, 1), (2000, 2), (3999, 2), (4000, 3), (1_000_000, 10),
        (67_108_863_999, 26), (67_108_864_000, 27), (UInt64.max, 27),
    ])
    func bucketsArePowersOfTwoMicroseconds(_ nanoseconds: UInt64, _ bucket: Int) {
        #expect(CounterFormat.bucket(nanoseconds: nanoseconds) == bucket)
    }

    @Test func opensThatAreNotPassthrough() throws {
        var file = File()
        for (row, answers) in [(14, 5), (35, 2), (51, 1)] as [(Int, UInt64)] {
            file.set(block: 0, row: row, word: 0, to: answers)
            file.set(block: 0, row: row, word: 4, to: answers)
        }
        file.set(block: 0, row: 14, word: 1, to: 1)
        file.set(block: 0, row: 0, word: 8, to: 3)
        #expect(try CounterSnapshot(file.bytes.raw).otherOpens == 4)
        file.set(block: 0, row: 0, word: 8, to: 100)
        #expect(try CounterSnapshot(file.bytes.raw).otherOpens == 0)
    }
}
