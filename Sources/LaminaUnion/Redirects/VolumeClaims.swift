// VolumeClaims owns the claims of one union, and the thread that shares a volume with whoever comes.
//
// Each volume has a FIFO `mounts` beside its files. Who has it locked for writing is the only one; others have it locked
// for reading. Who comes second writes a byte into it, at which the first, who reads it, turns his lock into one for
// reading. A killed server's lock goes with it. (inotify(7) would tell too; but a user has only 128 of these.)

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class VolumeClaims: Sendable {
    /// What claims and thread share.
    private final class Book: Sendable {
        struct Reference: Sendable { weak let claim: VolumeClaim? }

        /// A byte in it has the thread look at the claims again; its other end's closing ends the thread.
        let changes: Descriptor
        private let writer: Mutex<SharedDescriptor?>
        /// Those that are alone, by the number of their FIFO's descriptor.
        let claims = Mutex<[Int32: Reference]>([:])
        let tell = Mutex<(@Sendable (VolumeClaim, [NodeName]) -> Void)?>(nil)

        init() throws(Errno) {
            let pipe = try ProcessPipe()
            writer = Mutex(SharedDescriptor(try pipe.writeEnd.duplicate()))
            changes = pipe.takeReadEnd()
        }

        func wake() {
            let writer = writer.withLock { $0 }
            try? writer?.descriptor.writeAll([0])
        }

        func end() { writer.withLock { $0 = nil } }
    }

    private struct Watcher {
        let book: Book
        let worker: WorkerBox
    }

    private final class WorkerBox: Sendable {
        let worker: Worker

        init(_ book: Book) throws(Errno) { worker = try Worker(book) { VolumeClaims.run($0) } }
    }

    /// Nil until a volume is claimed.
    private let watcher = Mutex<Watcher?>(nil)
    private let listener = Mutex<(@Sendable (VolumeClaim, [NodeName]) -> Void)?>(nil)

    static let file: ByteString = "mounts"
    /// Attempts, 5 ms apart, to be let in by a server that may be stopped. Whoever gives up uses the volume as one
    /// that is shared; the other hears of changes after `VolumeClaim.seconds`.
    private static let attempts = 200

    deinit {
        let last = watcher.withLock { $0 }
        last?.book.end()
    }

    /// Has somebody tell the kernel that others change a volume from now on: the names that it may remember. From
    /// a thread of its own; `nil` waits for a call under way.
    func whenShared(_ tell: (@Sendable (VolumeClaim, [NodeName]) -> Void)?) {
        let book = watcher.withLock { watcher in
            listener.withLock { $0 = tell }
            return watcher?.book
        }
        book?.tell.withLock { $0 = tell }
    }

    /// Claims the volume with these files. Waits for who has it alone, and never fails: in doubt it is shared.
    func claim(_ files: ByteString) -> VolumeClaim {
        guard let book = started(), let file = Self.open(beside: files) else {
            return VolumeClaim(nil, isAlone: false) {}
        }
        if (try? file.descriptor.lockOpenFile(.alone)) != nil {
            // Bytes for who was there before; who still waits writes again.
            while let old = try? file.descriptor.readAvailable(limit: 4_096), !old.isEmpty {}
            let number = file.descriptor.rawValue
            let claim = VolumeClaim(file, isAlone: true) {
                _ = book.claims.withLock { $0.removeValue(forKey: number) }
                book.wake()
            }
            book.claims.withLock { $0[number] = Book.Reference(claim: claim) }
            book.wake()
            return claim
        }
        for _ in 0..<Self.attempts {
            try? file.descriptor.writeAll([0])
            do throws(Errno) {
                try file.descriptor.lockOpenFile(.shared)
                return VolumeClaim(file, isAlone: false) {}
            } catch .wouldBlock {
                usleep(5_000)
            } catch {
                break
            }
        }
        return VolumeClaim(nil, isAlone: false) {}
    }

    /// The FIFO, made where it is missing; nil where that cannot be.
    private static func open(beside files: ByteString) -> SharedDescriptor? {
        let parent = files.components.dropLast().reduce("/" as ByteString) { $0.appending($1) }
        guard let directory = try? Descriptor.open(parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else {
            return nil
        }
        try? directory.makeNode(file, mode: FileType.fifo.rawValue | 0o600, device: .zero)
        // For reading and writing: neither this nor a write waits for anybody (`fifo(7)`).
        guard let opened = try? directory.open(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK),
            (try? opened.status().type) == .fifo
        else { return nil }
        return SharedDescriptor(opened)
    }

    /// The book, with a thread; nil when there is none to be had.
    private func started() -> Book? {
        watcher.withLock { watcher in
            if let watcher { return watcher.book }
            guard let book = try? Book(), let worker = try? WorkerBox(book) else { return nil }
            let tell = listener.withLock { $0 }
            book.tell.withLock { $0 = tell }
            watcher = Watcher(book: book, worker: worker)
            return book
        }
    }

    /// The thread: shares what others knock at, until the end.
    private static func run(_ book: Book) {
        while true {
            let alone = book.claims.withLock { Array($0.keys) }
            var requests = ([book.changes.rawValue] + alone).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            // SAFETY: the array and its count.
            guard unsafe poll(&requests, nfds_t(requests.count), -1) > 0 else { continue }
            if requests[0].revents != 0 {
                // Its end is the thread's.
                guard let bytes = try? book.changes.readAvailable(limit: 64), !bytes.isEmpty else { return }
            }
            for request in requests.dropFirst() where request.revents != 0 {
                if let claim = book.claims.withLock({ $0.removeValue(forKey: request.fd)?.claim }) {
                    share(claim, book)
                }
            }
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

extension Descriptor {
    /// The bytes that are there, waiting for the first; none at the end.
    fileprivate borrowing func readAvailable(limit: Int) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        var space = buffer.mutableSpan
        // SAFETY: the local array.
        let count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
            try unsafe read(into: bytes)
        }
        return Array(buffer.prefix(count))
    }
}
