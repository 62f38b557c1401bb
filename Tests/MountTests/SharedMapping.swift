// Writing a file through a shared mapping, as a program with mmap(2) does.

import Glibc
import LaminaSystem
import Testing

extension Descriptor {
    /// Maps `count` bytes of this file, sets the one at `offset` to 0xEE, and syncs the mapping.
    borrowing func writeThroughMapping(at offset: Int, of count: Int) throws {
        // SAFETY: a fresh mapping of `count` bytes, unmapped below.
        let memory = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, rawValue, 0)
        let start = try unsafe #require(memory)
        try unsafe #require(start != UnsafeMutableRawPointer(bitPattern: -1))
        unsafe start.storeBytes(of: 0xEE, toByteOffset: offset, as: UInt8.self)
        unsafe msync(start, count, MS_SYNC)
        unsafe munmap(start, count)
    }
}
