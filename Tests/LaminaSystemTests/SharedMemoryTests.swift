// Shared memory as another process sees it, and this process's count of its own.

import Glibc
import LaminaCore
import LaminaSystem
import Testing

@Suite struct SharedMemoryTests {
    @Test func isReadByItsDescriptor() throws {
        let memory = try SharedMemory(name: "test", count: 10_000)
        let memoryFile = memory.file
        let file = try #require(memoryFile)
        #expect(try file.descriptor.readAll(limit: 20_000) == [UInt8](repeating: 0, count: 10_000))
        unsafe memory.start.storeBytes(of: 0xAB, toByteOffset: 9_999, as: UInt8.self)
        #expect(try file.descriptor.readBytes(at: 9_999, count: 10) == [0xAB])
        #expect(throws: Errno.notPermitted) { try file.descriptor.truncate(to: 0) }
        #expect(throws: Errno.notPermitted) { try file.descriptor.truncate(to: 20_000) }
    }

    @Test func countsResidentFiles() throws {
        let memory = try ProcessMemory()
        let before = try memory.residentFileBytes()
        #expect(before > 1 << 20 && before % 4096 == 0)
        let count = 64 << 20
        let shared = try SharedMemory(name: "test", count: count)
        for offset in stride(from: 0, to: count, by: 4096) {
            unsafe shared.start.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
        }
        #expect(try memory.residentFileBytes() >= count)
    }
}
