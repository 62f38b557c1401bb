// WatchQueue owns the events of all watched directories until its thread takes them, many at a time.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class WatchQueue: Sendable {
    let inotify: Inotify
    private let wakes: Descriptor
    private let waker: Mutex<SharedDescriptor?>

    /// Bytes of events taken in one call, and calls in one batch.
    private static let bufferSize = 64 << 10
    private static let mostCalls = 16
    /// Microseconds in which events gather: a file that is written for long is looked at a hundred times a second.
    private static let gathering: UInt32 = 10_000

    init() throws(Errno) {
        inotify = try Inotify()
        let pipe = try ProcessPipe()
        waker = Mutex(SharedDescriptor(try pipe.writeEnd.duplicate()))
        wakes = pipe.takeReadEnd()
    }

    /// Ends the next wait of the thread.
    func wake() {
        let waker = waker.withLock { $0 }
        try? waker?.descriptor.writeAll([0])
    }

    /// Ends the thread.
    func end() { waker.withLock { $0 = nil } }

    /// Waits for events, gathers some and takes them.
    /// - Parameter milliseconds: -1 for as long as it takes.
    /// - Returns: nil at the end.
    func next(_ buffer: inout [UInt8], milliseconds: Int32) -> EventBatch? {
        var requests = [inotify.descriptor.rawValue, wakes.rawValue].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        // SAFETY: the array and its count.
        guard unsafe poll(&requests, nfds_t(requests.count), milliseconds) > 0 else { return EventBatch() }
        if requests[1].revents != 0 {
            var byte: UInt8 = 0
            // SAFETY: one byte into the local. Its end is the thread's.
            guard unsafe read(wakes.rawValue, &byte, 1) > 0 else { return nil }
        }
        var batch = EventBatch()
        guard requests[0].revents != 0 else { return batch }
        usleep(Self.gathering)
        for _ in 0..<Self.mostCalls {
            guard inotify.take(&buffer, { batch.add($0) }) else { break }
        }
        return batch
    }

    static func buffer() -> [UInt8] { [UInt8](repeating: 0, count: bufferSize) }
}

/// What happened in a short time, each thing once.
struct EventBatch {
    struct Name: Hashable {
        let number: Int32
        let name: ByteString
    }

    /// Entries, by the number of their directory's watch; and whether something got the name.
    private(set) var names: [Name: Bool] = [:]
    /// Directories whose own attributes may have changed.
    private(set) var directories: Set<Int32> = []
    /// Watches that are gone.
    private(set) var ended: Set<Int32> = []
    /// Events were lost.
    private(set) var isOverflow = false

    var isEmpty: Bool { names.isEmpty && directories.isEmpty && ended.isEmpty && !isOverflow }

    mutating func add(_ event: DirectoryEvent) {
        if event.isOverflow { return isOverflow = true }
        if event.isEnd { return _ = ended.insert(event.number) }
        if event.name.isEmpty || event.isOfNames { directories.insert(event.number) }
        guard !event.name.isEmpty else { return }
        let name = Name(number: event.number, name: event.name)
        names[name] = names[name] == true || event.isNewName
    }
}

/// A thread that is waited for when nobody has this any more.
final class WatchThread: Sendable {
    private let worker: Worker

    init(_ body: @escaping @Sendable () -> Void) throws(Errno) { worker = try Worker(()) { _ in body() } }
}
