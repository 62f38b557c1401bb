// Who leads: always somebody, never two, and never one that is held up for long.

import Glibc
import LaminaSystem
import Synchronization
import Testing

@testable import LaminaFuse

@Suite struct CrewTests {
    @Test func threadsAreStartedUpToTheirNumber() {
        let crew = Crew(most: 2)
        #expect(crew.leave() == .startThread)
        #expect(crew.leave() == .startThread)
        // Nobody is free: the first one that gets free leads, without waiting.
        #expect(crew.leave() == .done)
        #expect(crew.waitForTurn(Crew.Place()))
    }

    @Test func aThreadThatDidNotStartLeavesTheLeadVacant() {
        let crew = Crew(most: 4)
        #expect(crew.leave() == .startThread)
        #expect(crew.leave() == .startThread)
        crew.startFailed(leading: true)
        #expect(crew.waitForTurn(Crew.Place()))
        #expect(crew.leave() == .startThread)
    }

    @Test func whoJoinsWaitsAndCounts() throws {
        let crew = Crew(most: 2)
        #expect(crew.leave() == .startThread)
        #expect(crew.join())
        #expect(!crew.join())
        // It is not there yet, and no third thread may be started.
        #expect(crew.leave() == .done)
        #expect(crew.waitForTurn(Crew.Place()))
        crew.startFailed(leading: false)
        #expect(crew.join())
        crew.end()
        crew.startFailed(leading: false)
        #expect(!crew.join())
    }

    @Test func whoLedLastLeadsNext() throws {
        let crew = Crew(most: 2)
        #expect(crew.leave() == .startThread)
        let order = Mutex<[Int]>([])
        var workers: [Box] = []
        for number in 0..<2 {
            let waits = Semaphore(count: 0)
            workers.append(
                Box(
                    try Worker(number) { number in
                        waits.signal()
                        if crew.waitForTurn(Crew.Place()) { order.withLock { $0.append(number) } }
                    }))
            waits.wait()
            while crew.idleCount <= number { sched_yield() }
        }
        #expect(crew.leave() == .done)
        while order.withLock({ $0.isEmpty }) { sched_yield() }
        #expect(crew.leave() == .done)
        workers.removeAll()
        #expect(order.withLock { $0 } == [1, 0])
    }

    @Test func theLeadCanBeTakenOnce() {
        let crew = Crew(most: 2)
        let first = crew.begin()
        #expect(crew.current == first)
        #expect(crew.take(from: first))
        #expect(!crew.take(from: first))
        let second = crew.begin()
        #expect(!crew.finish(first))
        #expect(crew.finish(second))
        #expect(crew.current == 0)
    }

    @Test func theEndSendsEverybodyHome() throws {
        let crew = Crew(most: 2)
        #expect(crew.leave() == .startThread)
        let worker = Box(
            try Worker(0) { _ in
                #expect(!crew.waitForTurn(Crew.Place()))
                crew.ended()
            })
        crew.end()
        worker.wait()
        #expect(crew.isEmpty)
        #expect(!crew.waitForTurn(Crew.Place()))
        #expect(crew.leave() == .done)
    }

    /// What the main thread does with a leader that is held up, and with one that is not.
    @Test func onlyTheSameRequestForTwoLooksLosesTheLead() throws {
        let crew = Crew(most: 2)
        let watch = try Watch()
        var observer = Observer(crew: crew)
        let first = crew.begin()
        watch.wakeIfAsleep()
        let looks = [observer.look(watch)]
        #expect(crew.finish(first))
        let second = crew.begin()
        let more = [observer.look(watch), observer.look(watch)]
        #expect(looks + more == [false, false, true])
        #expect(!crew.finish(second))
        for _ in 0..<Observer.patience {
            let isTaken = observer.look(watch)
            #expect(!isTaken && observer.isWatching)
        }
        let isTaken = observer.look(watch)
        #expect(!isTaken)
        #expect(!observer.isWatching)
    }
}

private final class Box {
    private var worker: Worker?

    init(_ worker: consuming Worker) {
        self.worker = consume worker
    }

    func wait() { worker = nil }
}
