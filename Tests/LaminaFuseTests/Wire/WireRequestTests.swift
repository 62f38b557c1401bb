// Requests as raw bytes: whole ones are read, and no cut of one is read beyond its end.

import LaminaCore
import Testing

@testable import LaminaFuse

@Suite struct WireRequestTests {
    /// A header of `length` bytes in all, for opcode 21 of node 7 by user 5, and a body.
    private static func request(length: UInt32, body: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: UInt64, _ count: Int) {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        append(UInt64(length), 4)
        append(21, 4)
        append(99, 8)
        append(7, 8)
        append(5, 4)
        append(6, 4)
        append(0, 8)
        return bytes + body
    }

    @Test func readsAHeader() throws {
        let bytes = Self.request(length: 40)
        let header = try WireHeader(bytes.raw)
        #expect(header.opcode == 21 && header.unique == 99 && header.node == 7)
        #expect(header.uid == 5 && header.gid == 6)
    }

    @Test func refusesEveryCut() {
        let whole = Self.request(length: 40)
        for count in 0..<whole.count {
            let cut = Array(whole[..<count])
            #expect(throws: Errno.invalidArgument) { _ = try WireHeader(cut.raw) }
        }
        for length: UInt32 in [0, 39, 41, .max] {
            let lying = Self.request(length: length)
            #expect(throws: Errno.invalidArgument) { _ = try WireHeader(lying.raw) }
        }
    }

    @Test func namesEnd() throws {
        let name = Array("user.x".utf8)
        let terminated = name + [0, 1]
        #expect(try terminated.raw.wireName(at: 0) == "user.x")
        #expect(throws: Errno.invalidArgument) { _ = try name.raw.wireName(at: 0) }
        #expect(throws: Errno.invalidArgument) { _ = try name.raw.wireName(at: 7) }
        let long = [UInt8](repeating: 65, count: 300) + [0]
        #expect(throws: Errno.invalidArgument) { _ = try long.raw.wireName(at: 0) }
    }

    @Test func bytesStayInside() throws {
        let bytes: [UInt8] = [1, 2, 3, 4]
        #expect(try bytes.raw.wireBytes(at: 1, count: 3) == [2, 3, 4])
        #expect(try bytes.raw.wireBytes(at: 4, count: 0) == [])
        for (offset, count) in [(0, 5), (4, 1), (5, 0), (-1, 1), (1, -1), (1, Int.max), (Int.max, 1)] {
            #expect(throws: Errno.invalidArgument) { _ = try bytes.raw.wireBytes(at: offset, count: count) }
        }
    }
}
