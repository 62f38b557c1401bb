// Crew owns who waits for the kernel's next request: one thread at a time, the leader. Another
// one takes its place before, or soon after, it gets held up.
//
// Invariant: as long as fewer than `most` threads are busy, one of them leads or is about to.

import LaminaCore
import LaminaSystem
import Synchronization

/// The threads of one mount.
final class Crew: Sendable {
    /// Where one thread waits for its turn to lead.
    final class Place: Sendable {
        fileprivate let turn = Semaphore(count: 0)
    }

    private struct State {
        /// Threads that wait for their turn, the one that led last on top: its caches are warm.
        var idle: [Place] = []
        var threads = 0
        /// Nobody leads: the next thread that gets free does.
        var isVacant = false
        var isEnding = false
    }

    /// What `leave` wants its caller to do.
    enum Succession: Equatable {
        case done
        /// Start a thread that leads; `startFailed` when there is none to be had.
        case startThread
    }

    private let state = Mutex(State())
    private let most: Int
    /// The number of the request that the leader is busy with; 0 while it waits or answers at once.
    private let busy = Atomic<UInt64>(0)
    private let number = Atomic<UInt64>(0)

    /// - Parameter most: threads at most.
    init(most: Int) {
        self.most = most
    }

    /// Hands the lead to somebody else. Called by the leader, which then no longer leads, or for
    /// it by who took it away.
    func leave() -> Succession {
        state.withLock { state in
            if let next = state.idle.popLast() {
                next.turn.signal()
                return .done
            }
            guard state.threads < most, !state.isEnding else {
                state.isVacant = true
                return .done
            }
            state.threads += 1
            return .startThread
        }
    }

    /// Counts a thread that its caller starts, and that first waits for its turn; false when it may not.
    func join() -> Bool {
        state.withLock { state in
            guard state.threads < most, !state.isEnding else { return false }
            state.threads += 1
            return true
        }
    }

    /// A thread could not be started: the one that `leave` wanted, which was to lead, or one that `join` counted.
    func startFailed(leading: Bool) {
        state.withLock { state in
            state.threads -= 1
            if leading { state.isVacant = true }
        }
    }

    /// Waits for the turn to lead; false when the mount has ended.
    func waitForTurn(_ place: Place) -> Bool {
        let leads: Bool? = state.withLock { state in
            if state.isEnding { return false }
            if state.isVacant {
                state.isVacant = false
                return true
            }
            state.idle.append(place)
            return nil
        }
        if let leads { return leads }
        place.turn.wait()
        return !isEnding
    }

    /// A thread is gone.
    func ended() {
        state.withLock { $0.threads -= 1 }
    }

    /// Threads that wait for their turn.
    var idleCount: Int { state.withLock { $0.idle.count } }

    /// Whether all threads are gone.
    var isEmpty: Bool { state.withLock { $0.threads == 0 } }

    var isEnding: Bool { state.withLock { $0.isEnding } }

    /// Sends all waiting threads home.
    func end() {
        state.withLock { state in
            state.isEnding = true
            for place in state.idle { place.turn.signal() }
            state.idle = []
        }
    }
}

extension Crew {
    /// The leader begins a request that may hold it up; gives the request's number.
    func begin() -> UInt64 {
        let request = number.wrappingAdd(1, ordering: .relaxed).newValue
        busy.store(request, ordering: .sequentiallyConsistent)
        return request
    }

    /// The request is done; false when the lead was taken away meanwhile.
    func finish(_ request: UInt64) -> Bool {
        busy.compareExchange(expected: request, desired: 0, ordering: .acquiringAndReleasing).exchanged
    }

    /// The request that the leader is busy with; 0 when there is none.
    var current: UInt64 { busy.load(ordering: .sequentiallyConsistent) }

    /// Takes the lead from a leader that is still busy with `request`; the caller then calls `leave`.
    func take(from request: UInt64) -> Bool {
        finish(request)
    }
}
