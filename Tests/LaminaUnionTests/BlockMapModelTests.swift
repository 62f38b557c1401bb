// A block-mapped file against a model in memory: random changes of every kind, with the
// sandbox opened again in between.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct BlockMapModelTests {
    /// xorshift64*: the same script for the same seed.
    struct Script {
        var state: UInt64

        mutating func next(_ limit: Int) -> Int {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return Int((state &* 2_685_821_657_736_338_717) >> 33) % max(limit, 1)
        }
    }

    static let lower = pattern(2 << 20 + 70_001)
    static let other = pattern(150_000, seed: 99)

    @Test(arguments: 1...8) func agreesWithTheModel(seed: Int) throws {
        let fixture = try UnionFixture(
            [.file("f", bytes: Self.lower), .file("other", bytes: Self.other)], inMemory: seed % 2 == 0)
        var script = Script(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var model = Self.lower
        for step in 0..<60 {
            let kind = try apply(&script, to: fixture, &model)
            try #require(
                try fixture.status("f").size == Int64(model.count), "seed \(seed), step \(step): \(kind)")
            let found = try fixture.read("f")
            try #require(found == model, "seed \(seed), step \(step): \(kind)")
        }
        try fixture.union.materialize(fixture.id("f"))
        #expect(try fixture.read("f") == model)
        #expect(fixture.maps.isEmpty)
        #expect(try fixture.upper("f").readAll(limit: 16 << 20) == model)
    }

    private func apply(
        _ script: inout Script, to fixture: UnionFixture, _ model: inout [UInt8]
    ) throws -> String {
        let start = script.next(model.count + 1000)
        let count = 1 + script.next([10, 5_000, 70_000, 300_000][script.next(4)])
        switch script.next(12) {
        case 0, 1, 2, 3:
            let bytes = pattern(count, seed: script.next(1000))
            try fixture.open("f", O_RDWR).write(bytes.raw, at: UInt64(start))
            replace(start, bytes, in: &model)
            return "write \(start)+\(count)"
        case 4:
            let size = script.next(4) == 0 ? script.next(model.count + 200_000) : max(0, model.count - count)
            try fixture.change("f") { $0.size = UInt64(size) }
            replace(model.count, [UInt8](repeating: 0, count: max(0, size - model.count)), in: &model)
            model.removeLast(max(0, model.count - size))
            return "truncate \(size)"
        case 5, 6:
            // FALLOC_FL_PUNCH_HOLE or ZERO_RANGE, each with KEEP_SIZE; tmpfs has only the first.
            let mode: Int32 = try fixture.store.descriptor.status().device == shmDevice() ? 3 : 17
            try fixture.open("f", O_RDWR).allocate(mode: mode, offset: UInt64(start), length: UInt64(count))
            let end = min(start + count, model.count)
            if start < end { replace(start, [UInt8](repeating: 0, count: end - start), in: &model) }
            return "zero \(start)+\(count)"
        case 7:
            try fixture.open("f", O_RDWR).allocate(mode: 0, offset: UInt64(start), length: UInt64(count))
            let missing = max(0, start + count - model.count)
            model += [UInt8](repeating: 0, count: missing)
            return "allocate \(start)+\(count)"
        case 8: return try copyOther(&script, to: fixture, &model, at: start)
        case 9:
            try fixture.open("f", O_RDWR).sync(dataOnly: script.next(2) == 0)
            return "sync"
        case 10: return try copyToNew(fixture, model)
        default:
            let clean = script.next(2) == 0
            try fixture.reopen(cleanly: clean)
            return "reopen, clean \(clean)"
        }
    }

    private func copyOther(
        _ script: inout Script, to fixture: UnionFixture, _ model: inout [UInt8], at start: Int
    ) throws -> String {
        let from = script.next(Self.other.count)
        let done = try fixture.open("other").copyRange(
            from: UInt64(from), to: fixture.open("f", O_RDWR), at: UInt64(start), count: 90_000)
        replace(start, Array(Self.other[from..<from + done]), in: &model)
        return "copy \(start)+\(done)"
    }

    private func copyToNew(_ fixture: UnionFixture, _ model: [UInt8]) throws -> String {
        let creation = Creation(permissions: 0o600, uid: 0, gid: 0)
        let (_, file) = try fixture.union.createFile("copy", in: .root, creation, flags: O_RDWR)
        let source = try fixture.open("f")
        var done = 0
        while true {
            let count = try source.copyRange(
                from: UInt64(done), to: file, at: UInt64(done), count: 1 << 20)
            if count == 0 { break }
            done += count
        }
        #expect(try file.bytes() == model)
        try fixture.union.removeFile("copy", in: .root)
        return "copy to a new file"
    }

    private func replace(_ start: Int, _ bytes: [UInt8], in model: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let missing = max(0, start + bytes.count - model.count)
        model += [UInt8](repeating: 0, count: missing)
        model.replaceSubrange(start..<start + bytes.count, with: bytes)
    }

    private func shmDevice() -> UInt64 { (try? FileStatus.of("/dev/shm").device) ?? 0 }
}
