// What workers count, read as another process reads it.

import Glibc
import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaFuse

@Suite struct CountersTests {
    private func snapshot(_ counters: Counters) throws -> CounterSnapshot {
        let file = try Descriptor.open(try #require(counters.path), O_RDONLY)
        let bytes = try file.readAll(limit: CounterFormat.fileSize)
        return try CounterSnapshot(bytes.raw)
    }

    @Test func countsRequestsAndAnswers() throws {
        let counters = try Counters()
        // Without a request there is nothing to end.
        counters.ended(size: 16, error: 0)
        counters.began(1, size: 50)
        #expect(try snapshot(counters).work.map(\.opcode) == [1])
        counters.ended(size: 144, error: 0)
        counters.ended(size: 144, error: 0)
        counters.began(1, size: 50)
        counters.ended(size: 16, error: -ENOENT)
        counters.began(15, size: 80)
        counters.ended(size: 16 + 4096, error: 0)
        counters.began(16, size: 80 + 100)
        counters.ended(size: 24, error: 0)
        counters.began(16, size: 80 + 100)
        counters.ended(size: 16, error: -ENOSPC)
        counters.began(2, size: 48)
        counters.began(4096, size: 40)
        counters.count(.copiedWhole)
        let read = try snapshot(counters)
        #expect(read.process == getpid() && read.started > 1_700_000_000)
        let lookups = read.operation(1)
        #expect(lookups.requests == 2 && lookups.answered == 2 && lookups.errors == 1 && lookups.bytes == 128)
        #expect(read.bytesRead == 4096 && read.bytesWritten == 100)
        #expect(read.operation(2).requests == 1 && read.operation(2).answered == 0)
        #expect(read.operation(63).requests == 1 && read.work.map(\.opcode) == [63])
        #expect(read.count(of: .copiedWhole) == 1 && read.count(of: .copiedMetadata) == 0)
    }

    /// More threads than there are blocks: no request is lost, and no two threads write one block but the last.
    @Test func threadsCountByThemselves() throws {
        let counters = try Counters()
        let threads = 80
        let requests = 1000
        var workers: [WorkerBox] = []
        let start = Semaphore(count: 0)
        for _ in 0..<threads {
            workers.append(
                WorkerBox(
                    try Worker(counters) { counters in
                        start.wait()
                        for _ in 0..<requests {
                            counters.began(3, size: 56)
                            counters.ended(size: 120, error: 0)
                        }
                    }))
        }
        for _ in 0..<threads { start.signal() }
        workers.removeAll()
        let read = try snapshot(counters).operation(3)
        #expect(read.requests == UInt64(threads * requests))
        // Those of the last block have no time.
        #expect(read.answered == UInt64((CounterFormat.blockCount - 1) * requests))
        #expect(read.bytes == read.answered * 104)
    }

    /// A thread that counted for one mount counts for another as well, each by itself.
    @Test func oneThreadMayCountForSeveral() throws {
        let first = try Counters()
        let second = try Counters()
        for _ in 0..<3 {
            first.began(1, size: 50)
            first.ended(size: 16, error: 0)
            second.began(3, size: 50)
        }
        #expect(try snapshot(first).operations.map(\.opcode) == [1])
        #expect(try snapshot(second).operation(3).requests == 3)
    }

    /// Nobody can take pages away from under the server, whatever he opens.
    @Test func theFileKeepsItsSize() throws {
        let counters = try Counters()
        let path = try #require(counters.path)
        if let file = try? Descriptor.open(path, O_RDWR) {
            #expect(throws: Errno.notPermitted) { try file.truncate(to: 0) }
        }
        counters.began(1, size: 50)
        #expect(try snapshot(counters).operation(1).requests == 1)
    }
}

/// Joins its thread when it goes away.
private final class WorkerBox {
    private let worker: Worker

    init(_ worker: consuming Worker) {
        self.worker = worker
    }
}
