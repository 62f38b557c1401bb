// DecodingThreads owns the threads that decode segments; dropping it ends and joins them.

import LaminaCore
import LaminaSystem
import Synchronization

/// A few threads that decode what they are given, in the order in which it is given.
final class DecodingThreads: Sendable {
    private let queue: SegmentQueue
    private let threads: [DecodingThread]

    /// Nil when the system gives not one thread; with fewer than `count` it works too.
    init?(count: Int) {
        queue = SegmentQueue()
        var threads: [DecodingThread] = []
        for _ in 0..<count {
            guard let thread = try? DecodingThread(queue) else { break }
            threads.append(thread)
        }
        self.threads = threads
        if threads.isEmpty { return nil }
    }

    deinit {
        // The threads are joined when the array of them goes, behind this.
        queue.close(threads: threads.count)
    }

    /// Has `segment` decoded.
    func add(_ segment: Segment) {
        queue.add(segment)
    }
}

private final class DecodingThread: Sendable {
    private let worker: Worker

    init(_ queue: SegmentQueue) throws(Errno) {
        worker = try Worker(queue) { queue in
            while let segment = queue.next() { segment.decode() }
        }
    }
}

/// Segments that wait for a thread.
private final class SegmentQueue: Sendable {
    private let waiting = Mutex<[Segment]>([])
    private let count = Semaphore(count: 0)

    func add(_ segment: Segment) {
        waiting.withLock { $0.append(segment) }
        count.signal()
    }

    /// The next segment, waited for; nil when the queue is closed.
    func next() -> Segment? {
        count.wait()
        return waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Drops what waits and ends each of `threads` threads.
    func close(threads: Int) {
        waiting.withLock { $0.removeAll() }
        for _ in 0..<threads { count.signal() }
    }
}
