// Giving the kernel a file's bytes before it asks: once, and never after somebody may have changed one.

import Glibc
import LaminaSystem
import LaminaUnion
import Synchronization
import Testing

@testable import LaminaFuse

@Suite struct DeliveriesTests {
    @Test func eachFileHasOneTurn() {
        let deliveries = Deliveries(nodes: 10)
        var given = 0
        for _ in 0..<3 { deliveries.make(4, isUntouched: { true }) { given += 1 } }
        #expect(given == 1)
        // A changed one has none, then or later.
        deliveries.make(5, isUntouched: { false }) { given += 1 }
        deliveries.make(5, isUntouched: { true }) { given += 1 }
        #expect(given == 1)
    }

    /// Whoever changes a file is told to wait while its bytes are on their way, and only then.
    @Test func aChangeWaitsForADelivery() throws {
        let deliveries = Deliveries(nodes: 10)
        let isUnderWay = Semaphore(count: 0)
        let mayEnd = Semaphore(count: 0)
        let isDone = Atomic<Bool>(false)
        let sawEnd = Atomic<Bool>(false)
        let giver = try Worker(0) { _ in
            deliveries.make(7, isUntouched: { true }) {
                isUnderWay.signal()
                mayEnd.wait()
                isDone.store(true, ordering: .sequentiallyConsistent)
            }
        }
        isUnderWay.wait()
        deliveries.waitForEnd(of: NodeID(rawValue: 6))
        let changer = try Worker(0) { _ in
            deliveries.waitForEnd(of: NodeID(rawValue: 7))
            sawEnd.store(isDone.load(ordering: .sequentiallyConsistent), ordering: .sequentiallyConsistent)
        }
        usleep(20_000)
        mayEnd.signal()
        giver.join()
        changer.join()
        let hasSeen = sawEnd.load(ordering: .sequentiallyConsistent)
        #expect(hasSeen)
    }
}
