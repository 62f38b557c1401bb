// Hammer lets threads loose on one directory. Each keeps what it must see of its own names;
// shared names are raced between barriers, and each race has exactly one winner.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization
import TreeModel

/// What all threads of one run share.
final class Hammer: Sendable {
    static let threads = 16
    /// Names of the layer that no thread touches.
    static let permanent = (0..<20).map { ByteString("permanent-\($0)") }
    /// Names of the layer that belong to a thread.
    static func lowerNames(of thread: Int) -> [ByteString] {
        (0..<3).map { ByteString("own-\(thread)-\($0)") }
    }

    private let directory: any SharedDirectory
    private let rounds: Int
    private let barrier = Barrier(count: UInt32(Hammer.threads))
    private let wins = Atomic<Int>(0)
    private let problems = Mutex<[String]>([])
    /// What threads expect to be there in the end, with link counts.
    private let expected = Mutex<[ByteString: Int]>([:])

    init(_ directory: any SharedDirectory, rounds: Int) {
        self.directory = directory
        self.rounds = rounds
    }

    /// Runs all threads to their end; returns what went wrong.
    func run() throws -> [String] {
        do {
            var workers: [WorkerBox] = []
            for thread in 0..<Self.threads {
                workers.append(WorkerBox(try Worker(thread) { [self] thread in work(thread) }))
            }
        }
        let names = expected.withLock { Set($0.keys) }.union(Self.permanent)
        let listed = try directory.list()
        if listed.sorted() != names.sorted() {
            note("in the end: \(listed.sorted()), expected \(names.sorted())")
        }
        for (name, links) in expected.withLock({ $0 }) {
            let found = try directory.status(name).linkCount
            if found != links { note("\(name): \(found) links, expected \(links)") }
        }
        return problems.withLock { $0 }
    }

    private final class WorkerBox {
        let worker: Worker
        init(_ worker: consuming Worker) { self.worker = worker }
    }

    private func note(_ text: String) {
        problems.withLock { if $0.count < 20 { $0.append(text) } }
    }

    private func work(_ thread: Int) {
        var own = OwnNames(thread, directory)
        for round in 0..<rounds {
            race("create", round, thread) { (name) throws(Errno) in try directory.create(name) }
            race("rename", round, thread) { (name) throws(Errno) in
                try directory.rename(
                    name, to: ByteString("won-\(round)-\(thread)"), flags: RenameFlag.noReplace)
                try directory.rename(ByteString("won-\(round)-\(thread)"), to: name, flags: 0)
            }
            race("remove", round, thread) { (name) throws(Errno) in try directory.remove(name) }
            for _ in 0..<8 {
                if let problem = own.step() { note("thread \(thread), round \(round): \(problem)") }
            }
            if round % 4 == thread % 4 { checkListing(own) }
        }
        let files = own.links
        expected.withLock { $0.merge(files) { $1 } }
    }

    /// All threads do `body` to one name at once. Making and removing it must succeed once;
    /// of renames there and back any number, but no other error than that it is away.
    private func race(
        _ what: String, _ round: Int, _ thread: Int, _ body: (ByteString) throws(Errno) -> Void
    ) {
        barrier.wait()
        do throws(Errno) {
            try body(ByteString("race-\(round)"))
            wins.add(1, ordering: .sequentiallyConsistent)
        } catch {
            let allowed: Errno = what == "create" ? .fileExists : .noSuchFileOrDirectory
            if error != allowed { note("round \(round): \(what): \(error)") }
        }
        barrier.wait()
        if thread == 0 {
            let winners = wins.exchange(0, ordering: .sequentiallyConsistent)
            if what == "rename" ? winners < 1 : winners != 1 {
                note("round \(round): \(winners) won \(what)")
            }
        }
        barrier.wait()
    }

    private func checkListing(_ own: OwnNames) {
        do throws(Errno) {
            let listed = try directory.list()
            let names = Set(listed)
            if names.count != listed.count { note("a name is listed twice") }
            for name in Self.permanent where !names.contains(name) { note("\(name) is not listed") }
            let mine = names.filter { $0.hasPrefix(own.prefix) }
            if mine != Set(own.links.keys) {
                note("listed \(mine.sorted()), expected \(own.links.keys.sorted())")
            }
        } catch {
            note("list: \(error)")
        }
    }
}

/// A barrier that threads meet at again and again (`pthread_barrier_wait(3)`).
@safe
final class Barrier: @unchecked Sendable {
    // SAFETY: initialised in init, destroyed in deinit, and made for concurrent use between.
    private let barrier: UnsafeMutablePointer<pthread_barrier_t>

    init(count: UInt32) {
        unsafe barrier = .allocate(capacity: 1)
        unsafe pthread_barrier_init(barrier, nil, count)
    }

    deinit {
        // SAFETY: nobody waits any more: waiters keep a reference.
        unsafe pthread_barrier_destroy(barrier)
        unsafe barrier.deallocate()
    }

    func wait() {
        // SAFETY: an initialised barrier.
        unsafe _ = pthread_barrier_wait(barrier)
    }
}
