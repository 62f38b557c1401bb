// VolumeClaims owns the claims of one union, and the thread that shares a volume with whoever comes.
//
// Each volume has a file `mounts` beside its files. Who has it locked alone, for writing, is the only one; others have
// it locked for reading. Who comes second opens the file, of which the first is told by inotify(7), and gets his lock
// when the first has turned his own into one for reading. A killed server's locks go with it.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class VolumeClaims: Sendable {
    /// What claims and thread share.
    private final class Book: Sendable {
        struct Reference: Sendable { weak let claim: VolumeClaim? }

        let watch: OpenWatch
        /// A byte in it ends the thread.
        let end: Descriptor
        let stop: Descriptor
        let claims = Mutex<[Int32: Reference]>([:])
        let tell = Mutex<(@Sendable (VolumeClaim, [NodeName]) -> Void)?>(nil)

        init() throws(Errno) {
            watch = try OpenWatch()
            let pipe = try ProcessPipe()
            stop = try pipe.writeEnd.duplicate()
            end = pipe.takeReadEnd()
        }
    }

    private let book: Book?
    private let worker = Mutex<Worker?>(nil)

    static let file: ByteString = "mounts"
    /// Attempts, 5 ms apart, to be let in by a server that may be stopped. Whoever gives up uses the volume as one
    /// that is shared; the other hears of changes after `VolumeClaim.seconds`.
    private static let attempts = 200

    init() {
        // Without it no volume is anybody's alone.
        book = try? Book()
    }

    deinit {
        if let book { try? book.stop.writeAll([0]) }
        // Dropping the worker waits for its end.
        worker.withLock { $0 = nil }
    }

    /// Has somebody tell the kernel that others change a volume from now on: the names that it may remember. From
    /// a thread of its own; `nil` waits for a call under way.
    func whenShared(_ tell: (@Sendable (VolumeClaim, [NodeName]) -> Void)?) {
        book?.tell.withLock { $0 = tell }
    }

    /// Claims the volume with these files. Waits for who has it alone, and never fails: in doubt it is shared.
    func claim(_ files: ByteString) -> VolumeClaim {
        let parent = files.components.dropLast().reduce("/" as ByteString) { $0.appending($1) }
        guard let book, startWorker(book),
            let directory = try? Descriptor.open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        else { return VolumeClaim(nil, isAlone: false) {} }
        for attempt in 0..<Self.attempts {
            // Opened anew each time, because that is what the other hears.
            guard
                let opened = try? directory.open(
                    Self.file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, permissions: 0o600)
            else { break }
            let file = SharedDescriptor(opened)
            if attempt == 0, let claim = Self.claimAlone(file, book) { return claim }
            if (try? file.descriptor.lockOpenFile(exclusive: false)) != nil {
                return VolumeClaim(file, isAlone: false) {}
            }
            usleep(5_000)
        }
        return VolumeClaim(nil, isAlone: false) {}
    }

    /// A claim on what nobody else has; nil when somebody has.
    private static func claimAlone(_ file: SharedDescriptor, _ book: Book) -> VolumeClaim? {
        guard (try? file.descriptor.lockOpenFile(exclusive: true)) != nil else { return nil }
        // Who opened the file before this does so again.
        guard let number = try? book.watch.add(file.descriptor) else { return nil }
        let claim = VolumeClaim(file, isAlone: true) {
            // The lock goes after that, so that nobody has the number yet again.
            _ = book.claims.withLock { $0.removeValue(forKey: number) }
            book.watch.remove(number)
        }
        book.claims.withLock { $0[number] = Book.Reference(claim: claim) }
        return claim
    }

    private func startWorker(_ book: Book) -> Bool {
        worker.withLock { worker in
            if worker == nil { worker = try? Worker(book) { Self.run($0) } }
            return worker != nil
        }
    }

    /// The thread: shares what others open, until the end.
    private static func run(_ book: Book) {
        while true {
            var requests = [
                pollfd(fd: book.watch.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: book.end.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            // SAFETY: an array of two.
            let count = unsafe poll(&requests, 2, -1)
            if requests[1].revents != 0 { return }
            guard count > 0, let numbers = try? book.watch.opened() else { continue }
            for claim in claims(numbers, book) { share(claim, book) }
        }
    }

    private static func claims(_ numbers: [Int32], _ book: Book) -> [VolumeClaim] {
        book.claims.withLock { claims in
            claims.filter { numbers.contains($0.key) || numbers.contains(OpenWatch.any) }
                .compactMap { $0.value.claim }
        }
    }

    private static func share(_ claim: VolumeClaim, _ book: Book) {
        guard let names = claim.share() else { return }
        // Answers that were made before are on their way to the kernel.
        usleep(20_000)
        book.tell.withLock { tell in tell?(claim, names) }
        claim.release()
    }
}
