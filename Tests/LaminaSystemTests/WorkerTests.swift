import LaminaSystem
import Synchronization
import Testing

@Suite struct WorkerTests {
    private final class Log: Sendable {
        let values = Mutex<[Int]>([])
        func append(_ value: Int) { values.withLock { $0.append(value) } }
    }

    @Test func takesItsValueAndIsWaitedFor() throws {
        let log = Log()
        let worker = try Worker(41) { log.append($0 + 1) }
        worker.join()
        #expect(log.values.withLock { $0 } == [42])
    }

    @Test func semaphoresHandTurnsOver() throws {
        let log = Log()
        let mine = Semaphore(count: 0)
        let its = Semaphore(count: 1)
        let worker = try Worker(0) { start in
            for turn in 0..<100 {
                its.wait()
                log.append(start + 2 * turn)
                mine.signal()
            }
        }
        for turn in 0..<100 {
            mine.wait()
            log.append(2 * turn + 1)
            its.signal()
        }
        worker.join()
        #expect(log.values.withLock { $0 } == Array(0..<200))
    }
}
