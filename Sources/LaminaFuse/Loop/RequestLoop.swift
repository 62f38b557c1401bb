// RequestLoop owns the threads that serve a mount, from the first request to the last.
//
// One thread at a time waits for the next request (`Crew`): the kernel wakes the reader that
// waited longest, so that two of them would take turns and a sequential caller would be served by
// cold threads on other cores. What the layers alone can answer is answered at once. Before a
// request that may take long the leader lets somebody else lead. For all others the main thread
// looks on: a leader that is busy with one request for two of its looks loses the lead.

import CFuse3
import CLinux
import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// How a loop ended.
enum LoopEnd: Equatable {
    /// Unmounted.
    case unmounted
    /// A signal asked for it.
    case signal
    case failed(Errno)
}

@safe
final class RequestLoop: @unchecked Sendable {
    // SAFETY: libfuse's session outlives the loop and takes calls from several threads; all other
    // state is atomic or guarded.
    private let session: OpaquePointer
    private let server: Server
    private let device: Int32
    private let crew: Crew
    private let watch: Watch
    private let threads = Mutex<[LoopThread]>([])
    private let isEnding = Atomic<Bool>(false)
    private let failure = Atomic<Int32>(0)

    /// More than the requests that a machine's disks do at once.
    static let mostThreads = 16

    init(session: OpaquePointer, server: Server) throws(Errno) {
        unsafe self.session = unsafe session
        self.server = server
        device = unsafe fuse_session_fd(session)
        try Watch.makeNonblocking(device)
        crew = Crew(most: Self.mostThreads)
        watch = try Watch()
    }

    /// Serves until the mount ends or a signal asks for it.
    func run() throws(Errno) -> LoopEnd {
        let signals = try LoopSignals()
        lead()
        // Who is there already need not be started while the first slow request waits.
        if crew.join() { start(leading: false) }
        var observer = Observer(crew: crew)
        while unsafe fuse_session_exited(session) == 0, failure.load(ordering: .acquiring) == 0 {
            watch.wait(isWatching: observer.isWatching, signals)
            if observer.look(watch) { lead() }
        }
        // Who tells the kernel something may be waiting for a lock whose owner waits for an answer of ours.
        server.union.whenOthersChange(nil)
        isEnding.store(true, ordering: .sequentiallyConsistent)
        crew.end()
        // A signal that comes between the check and the read is lost: until all are gone.
        while !crew.isEmpty {
            for thread in threads.withLock({ $0 }) { thread.interrupt() }
            usleep(1_000)
        }
        for thread in threads.withLock({ $0 }) { thread.join() }
        switch failure.load(ordering: .acquiring) {
        case 0: return .signal
        case ENODEV, ECONNABORTED: return .unmounted
        case let error: return .failed(Errno(rawValue: error))
        }
    }

    /// Lets some thread lead that is free, a new one if need be.
    private func lead() {
        if crew.leave() == .startThread { start(leading: true) }
    }

    /// Starts a thread that the crew counts already.
    private func start(leading: Bool) {
        do throws(Errno) {
            let thread = LoopThread()
            try thread.start(RequestBuffer()) { [self] buffer in
                var buffer = buffer
                if leading || crew.waitForTurn(thread.place) { serve(thread.place, &buffer) }
                crew.ended()
            }
            threads.withLock { $0.append(thread) }
        } catch {
            crew.startFailed(leading: leading)
        }
    }

    /// The life of one thread.
    private func serve(_ place: Crew.Place, _ buffer: inout RequestBuffer) {
        var answer = WireAnswer()
        var patience = Patience()
        repeat {
            while let request = receive(&buffer, &patience) {
                guard answerNext(request, buffer, &answer) else { break }
            }
            buffer.shrink()
        } while !isEnding.load(ordering: .relaxed) && crew.waitForTurn(place)
    }

    /// Bytes of the next request; nil at the end of the mount.
    @inline(__always)
    private func receive(_ buffer: inout RequestBuffer, _ patience: inout Patience) -> Int? {
        while !isEnding.load(ordering: .relaxed) {
            var count = buffer.receive(from: device)
            if count < 0, errno == EAGAIN { count = awaitRequest(&buffer, &patience) }
            if count > 0 { return count }
            let error = count == 0 ? EIO : errno
            // The request was interrupted before it was read, or this thread was, by a signal.
            if error == ENOENT || error == EINTR || error == EAGAIN { continue }
            isEnding.store(true, ordering: .sequentiallyConsistent)
            failure.store(error, ordering: .releasing)
            watch.wake()
        }
        return nil
    }

    /// Receives the next request when none is there yet: looks for it, then sleeps.
    private func awaitRequest(_ buffer: inout RequestBuffer, _ patience: inout Patience) -> Int {
        let start = Patience.now()
        var count = -1
        let look = patience.look(since: start) {
            count = buffer.receive(from: device)
            return count >= 0 || errno != EAGAIN
        }
        if look == .found { return count }
        Watch.waitUntilReadable(device)
        patience.noteWait(Patience.now() &- start, after: look)
        return buffer.receive(from: device)
    }

    /// Answers a request; false when this thread no longer leads.
    @inline(__always)
    private func answerNext(_ count: Int, _ buffer: borrowing RequestBuffer, _ answer: inout WireAnswer)
        -> Bool
    {
        unsafe buffer.withRequest(count) { request, memory in
            guard let header = try? WireHeader(request) else {
                refuse(request)
                return true
            }
            let body = request.extracting(droppingFirst: WireHeader.size)
            answer.start()
            server.counters?.began(header.opcode, size: count)
            switch server.quickAnswer(header, body, &answer) {
            case .ready:
                answer.send(to: header.unique, device)
                server.answered(size: answer.count, error: 0)
            case .failed(let error):
                WireAnswer.fail(error, header.unique, device)
                server.answered(size: WireAnswer.headerSize, error: -error.rawValue)
            case .silent: break
            case .none:
                return handOver(header, body) {
                    if header.isOurs, server.answer(header, body, device) { return }
                    // SAFETY: the request's memory stays as it is until the call returns.
                    var parts = unsafe fuse_buf()
                    unsafe parts.size = count
                    unsafe parts.mem = unsafe memory
                    unsafe fuse_session_process_buf(session, &parts)
                }
            }
            return true
        }
    }

    /// Runs what may hold this thread up; false when somebody else leads afterwards.
    private func handOver(_ header: WireHeader, _ body: RawSpan, _ serve: () -> Void) -> Bool {
        let effort = Effort(header, body)
        if effort == .long || effort == .large && Watch.isReadable(device) {
            lead()
            serve()
            return false
        }
        let request = crew.begin()
        watch.wakeIfAsleep()
        serve()
        return crew.finish(request)
    }

    /// Answers what is no request: the kernel sends none such.
    private func refuse(_ request: RawSpan) {
        guard let unique: UInt64 = try? request.wire(at: 8) else { return }
        WireAnswer.fail(.invalidArgument, unique, device)
    }
}
