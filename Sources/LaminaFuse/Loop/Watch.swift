// Watch owns how the main thread waits: for a signal, for the end, and for a leader that is held
// up. It sleeps while no request is served that could hold one up.

import CLinux
import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// What wakes the main thread.
final class Watch: Sendable {
    private let readEnd: Descriptor
    private let writeEnd: Descriptor
    /// Whether somebody has to wake the main thread when a request begins.
    fileprivate let isAsleep = Atomic<Bool>(true)

    init() throws(Errno) {
        let pipe = try ProcessPipe()
        writeEnd = try pipe.writeEnd.duplicate()
        readEnd = pipe.takeReadEnd()
    }

    /// Wakes the main thread.
    func wake() {
        let end = writeEnd.rawValue
        // SAFETY: one byte of a literal. A full pipe wakes as well.
        _ = unsafe Glibc.write(end, "w", 1)
    }

    /// Wakes the main thread when it sleeps.
    @inline(__always)
    func wakeIfAsleep() {
        guard isAsleep.load(ordering: .sequentiallyConsistent) else { return }
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { wake() }
    }

    /// Waits for a wake or a signal, when watching for a tick at most.
    func wait(isWatching: Bool, _ signals: borrowing LoopSignals) {
        var request = pollfd(fd: readEnd.rawValue, events: Int16(POLLIN), revents: 0)
        var tick = timespec(tv_sec: 0, tv_nsec: Observer.tick)
        // SAFETY: locals, for the call.
        let count = unsafe withUnsafePointer(to: &tick) { tick in
            unsafe signals.poll(&request, timeout: isWatching ? tick : nil)
        }
        guard count > 0 else { return }
        var bytes: UInt64 = 0
        // SAFETY: at most the local's eight bytes.
        _ = unsafe read(readEnd.rawValue, &bytes, 8)
    }

    /// From now on who reads at the device is told at once that nothing is there.
    static func makeNonblocking(_ device: Int32) throws(Errno) {
        let flags = fcntl(device, F_GETFL)
        guard flags >= 0, fcntl(device, F_SETFL, flags | O_NONBLOCK) >= 0 else {
            throw Errno(rawValue: errno)
        }
    }

    /// Sleeps until a request is there, the mount ends or a signal comes.
    static func waitUntilReadable(_ device: Int32) {
        var request = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
        // SAFETY: one local request.
        _ = unsafe poll(&request, 1, -1)
    }

    /// Whether another request waits at the device. One system call.
    static func isReadable(_ device: Int32) -> Bool {
        var request = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
        // SAFETY: one local request.
        return unsafe poll(&request, 1, 0) > 0
    }
}

/// What the main thread saw of the leader.
struct Observer {
    /// Nanoseconds between two looks.
    static let tick = 1_000_000
    /// Looks without a request before the main thread sleeps.
    static let patience = 32

    private let crew: Crew
    private var last: UInt64 = 0
    private var quiet = 0
    private(set) var isWatching = false

    init(crew: Crew) {
        self.crew = crew
    }

    /// One look: whether the lead was taken from a leader that is still busy with the same request.
    mutating func look(_ watch: Watch) -> Bool {
        isWatching = true
        let now = crew.current
        defer { last = now }
        if now != 0 {
            quiet = 0
            return now == last && crew.take(from: now)
        }
        quiet += 1
        guard quiet > Self.patience else { return false }
        watch.isAsleep.store(true, ordering: .sequentiallyConsistent)
        // A request that began just before saw a main thread awake.
        guard crew.current == 0 || !watch.isAsleep.exchange(false, ordering: .sequentiallyConsistent) else {
            return false
        }
        isWatching = false
        quiet = 0
        return false
    }
}
