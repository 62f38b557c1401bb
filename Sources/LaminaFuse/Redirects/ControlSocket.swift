// ControlSocket owns the way by which redirects are added and removed while a mount is served: a socket in the
// sandbox's directory, and one thread that takes one connection after the other.
//
// Invariant: it takes no thread from the requests and holds no lock while the kernel is told of a change, which may
// wait for a directory that somebody changes.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion
import Synchronization

/// Where changes come from.
public struct RedirectControl: Sendable {
    let directory: SharedDescriptor
    let store: ByteString
    let images: @Sendable (Digest) throws(Errno) -> LowerTree

    /// - Parameters:
    ///   - directory: the sandbox's.
    ///   - store: the store's root, which no bind may reach.
    ///   - images: opens an image that a redirect shows.
    public init(
        directory: SharedDescriptor, store: ByteString,
        images: @escaping @Sendable (Digest) throws(Errno) -> LowerTree
    ) {
        self.directory = directory
        self.store = store
        self.images = images
    }
}

final class ControlSocket: Sendable {
    private let directory: SharedDescriptor
    private let stop: Descriptor
    private let worker: Mutex<Worker?>

    init(_ server: Server, _ control: RedirectControl, _ device: Int32) throws(Errno) {
        directory = control.directory
        let pipe = try ProcessPipe()
        stop = try pipe.writeEnd.duplicate()
        let socket = try control.directory.descriptor.listen(at: RedirectChange.socket)
        let changes = RedirectChanges(server, control, device, socket: socket, end: pipe.takeReadEnd())
        let worker = try Worker(changes) { $0.run() }
        self.worker = Mutex(worker)
    }

    /// Waits for a change that is being made.
    func close() {
        try? directory.descriptor.removeFile(RedirectChange.socket)
        try? stop.writeAll([0])
        // Dropping the worker waits for its end.
        worker.withLock { $0 = nil }
    }
}

/// What the thread does.
private final class RedirectChanges: Sendable {
    private let server: Server
    private let control: RedirectControl
    private let device: Int32
    private let socket: Descriptor
    private let end: Descriptor

    /// Milliseconds that a message may take after a connection.
    private static let patience: Int32 = 5_000

    init(
        _ server: Server, _ control: RedirectControl, _ device: Int32, socket: consuming Descriptor,
        end: consuming Descriptor
    ) {
        self.server = server
        self.control = control
        self.device = device
        self.socket = socket
        self.end = end
    }

    func run() {
        while let isConnection = waitForNext() {
            guard isConnection, let connection = try? socket.accept() else { continue }
            guard let uid = try? connection.peer(), uid == geteuid() || uid == 0 else { continue }
            guard
                let message = try? connection.receive(
                    limit: RedirectChange.longest, milliseconds: Self.patience), !message.isEmpty
            else { continue }
            try? connection.send(outcome(of: message, connection).encoded)
        }
    }

    /// Whether there is a connection; nil at the end.
    private func waitForNext() -> Bool? {
        var requests = [
            pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: end.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        // SAFETY: an array of two.
        let count = unsafe poll(&requests, 2, -1)
        if requests[1].revents != 0 { return nil }
        return count > 0 && requests[0].revents & Int16(POLLIN) != 0
    }

    private func outcome(of message: [UInt8], _ connection: borrowing Descriptor) -> RedirectChange.Outcome {
        let change: RedirectChange
        do throws(RedirectListError) {
            change = try RedirectChange(message)
        } catch {
            return .failed("\(error)")
        }
        switch change {
        case .add(let placed): return add(placed, connection)
        case .remove(let target, let lazy): return remove(target, lazy: lazy)
        }
    }

    private func add(
        _ placed: PlacedRedirect, _ connection: borrowing Descriptor
    ) -> RedirectChange.Outcome {
        guard server.data != .cached else {
            return .failed("the sandbox is mounted with --data cached, which cannot serve redirects")
        }
        let heartbeat = Heartbeat(connection.rawValue)
        do throws(RedirectFailure) {
            let names = try server.union.add(placed, store: control.store, images: control.images) {
                heartbeat.beat()
            }
            for name in names {
                WireReply.nameExpired(name).send(to: device)
                // A name that was made stands in a listing that the kernel keeps.
                if !name.parent.isRedirected { WireReply.listingChanged(of: name.parent).send(to: device) }
            }
            return .done
        } catch {
            return .failed(error.description)
        }
    }

    private func remove(_ target: ByteString, lazy: Bool) -> RedirectChange.Outcome {
        do throws(RedirectStays) {
            let name = try server.union.remove(redirectAt: target, lazy: lazy) {
                WireReply.nameGone($0).send(to: device)
            }
            WireReply.nameExpired(name).send(to: device)
            return .done
        } catch {
            switch error {
            case .unknown: return .absent
            case .busy(let reason): return .busy("\(target): \(reason)")
            }
        }
    }
}

/// Says on a connection, every few seconds, that something is still being done.
private final class Heartbeat: Sendable {
    private let connection: Int32
    private let last = Atomic<Int>(0)

    init(_ connection: Int32) {
        self.connection = connection
        last.store(Self.now(), ordering: .relaxed)
    }

    private static func now() -> Int {
        var time = timespec()
        // SAFETY: the kernel fills the local.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    func beat() {
        let time = Self.now()
        guard time - last.load(ordering: .relaxed) >= 5 else { return }
        last.store(time, ordering: .relaxed)
        // SAFETY: one byte of a literal; the connection outlives the change.
        _ = unsafe Glibc.send(connection, " ", 1, Int32(MSG_NOSIGNAL))
    }
}
