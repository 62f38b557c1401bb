import LaminaCore
import LaminaSystem
import Synchronization

/// A thread that does something again and again in a mount until it is dropped, and keeps what failed.
final class BusyThread: Sendable {
    private final class State: Sendable {
        let stop = Atomic<Bool>(false)
        let rounds = Atomic<Int>(0)
        let failure = Mutex<String?>(nil)
    }

    private let state = State()
    private let worker: Mutex<Worker?>

    /// - Parameter round: gets its number, from 0.
    init(_ round: @escaping @Sendable (Int) throws -> Void) throws {
        worker = Mutex(
            try Worker(state) { state in
                while !state.stop.load(ordering: .relaxed) {
                    do {
                        try round(state.rounds.load(ordering: .relaxed))
                    } catch {
                        return state.failure.withLock { $0 = "\(error)" }
                    }
                    state.rounds.add(1, ordering: .relaxed)
                }
            })
    }

    /// Rounds that are done.
    var rounds: Int { state.rounds.load(ordering: .relaxed) }

    /// Ends it; returns what went wrong.
    func end() -> String? {
        state.stop.store(true, ordering: .relaxed)
        worker.withLock { $0 = nil }
        return state.failure.withLock { $0 }
    }

    deinit {
        state.stop.store(true, ordering: .relaxed)
    }
}
