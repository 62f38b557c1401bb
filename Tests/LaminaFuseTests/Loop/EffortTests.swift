// Which requests make the leader let somebody else lead.

import Glibc
import LaminaCore
import Testing

@testable import LaminaFuse

@Suite struct EffortTests {
    private static func effort(_ opcode: UInt32, _ body: [UInt8]) throws -> Effort {
        var request = QuickFixture.bytes(UInt32(WireHeader.size)) + QuickFixture.bytes(opcode)
        request += [UInt8](repeating: 0, count: 32)
        return Effort(try WireHeader(request.raw), body.raw)
    }

    @Test func whatMayWaitForADiskIsLong() throws {
        for opcode in [Opcode.fsync, Opcode.fsyncdir, Opcode.fallocate, Opcode.copyFileRange] {
            #expect(try Self.effort(opcode, []) == .long)
        }
        for flags in [O_WRONLY, O_RDWR, O_RDWR | O_TRUNC] {
            #expect(try Self.effort(Opcode.open, QuickFixture.bytes(UInt32(flags))) == .long)
        }
        #expect(try Self.effort(Opcode.open, QuickFixture.bytes(UInt32(O_RDONLY))) == .short)
        #expect(try Self.effort(Opcode.lookup, []) == .short)
    }

    @Test func manyBytesAreLarge() throws {
        for opcode in [Opcode.read, Opcode.write] {
            #expect(try Self.effort(opcode, QuickFixture.reading(0, 131_072)) == .large)
            #expect(try Self.effort(opcode, QuickFixture.reading(0, 4096)) == .short)
            // Cut ones are refused by who serves them.
            for count in 0..<20 {
                #expect(try Self.effort(opcode, Array(QuickFixture.reading(0, .max)[..<count])) == .short)
            }
        }
        #expect(try Self.effort(Opcode.open, []) == .short)
    }
}
