// WorkSweep owns the directories in `work` that left the tree: what is in them, whiteouts above all, is cleared away
// on a thread of its own, because who removed the directory need not wait for that.
//
// Invariant: at most `most` directories wait; whoever brings one more clears it away himself. What is left at the
// end of the process, the next mount removes.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class WorkSweep: Sendable {
    /// What the thread shares with its owner, which it must not keep alive.
    private final class Room: Sendable {
        let work: SharedDescriptor
        let waiting = Mutex<[ByteString]>([])
        let more = Semaphore(count: 0)
        let isEnding = Atomic<Bool>(false)

        init(work: consuming Descriptor) { self.work = SharedDescriptor(work) }

        /// Clears away one directory after the other until the end.
        func sweep() {
            while true {
                more.wait()
                if isEnding.load(ordering: .acquiring) { return }
                removeAll()
            }
        }

        func removeAll() {
            while let name = waiting.withLock({ $0.popLast() }) { try? work.descriptor.removeTree(name) }
        }
    }

    private let room: Room
    private let worker = Mutex<Worker?>(nil)
    private static let most = 1_024

    /// - Parameter work: the sandbox's `work`.
    init(work: borrowing Descriptor) throws(Errno) {
        room = Room(work: try work.duplicate())
    }

    /// Takes over a directory in `work`. An empty one is gone at once.
    func remove(_ name: ByteString) {
        do throws(Errno) {
            try room.work.descriptor.removeDirectory(name)
        } catch {
            guard error == .directoryNotEmpty, enqueue(name) else {
                try? room.work.descriptor.removeTree(name)
                return
            }
        }
    }

    private func enqueue(_ name: ByteString) -> Bool {
        let hasThread = worker.withLock { worker in
            if worker == nil { worker = try? Worker(room) { room in room.sweep() } }
            return worker != nil
        }
        guard hasThread else { return false }
        let isTaken = room.waiting.withLock { waiting in
            guard waiting.count < Self.most else { return false }
            waiting.append(name)
            return true
        }
        if isTaken { room.more.signal() }
        return isTaken
    }

    /// Clears away what waits.
    func finish() { room.removeAll() }

    deinit {
        room.isEnding.store(true, ordering: .releasing)
        room.more.signal()
        // Dropping the worker waits for its end.
        worker.withLock { $0 = nil }
    }
}
