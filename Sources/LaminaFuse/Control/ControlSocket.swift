// ControlSocket owns the way by which other processes ask a mount's server for something while it serves: a socket in
// the sandbox's directory, and one thread that takes one connection after the other.
//
// Invariant: it takes no thread from the requests.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion
import Synchronization

/// Where requests to a server come from, and what changes of redirects need.
public struct MountControl: Sendable {
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

    init(_ server: Server, _ control: MountControl, _ device: Int32) throws(Errno) {
        directory = control.directory
        let pipe = try ProcessPipe()
        stop = try pipe.writeEnd.duplicate()
        let socket = try control.directory.descriptor.listen(at: RedirectChange.socket)
        let listener = ControlListener(
            RedirectChanges(server, control, device), server.union, socket: socket, end: pipe.takeReadEnd())
        let worker = try Worker(listener) { $0.run() }
        self.worker = Mutex(worker)
    }

    /// Waits for what is being done for somebody.
    func close() {
        try? directory.descriptor.removeFile(RedirectChange.socket)
        try? stop.writeAll([0])
        // Dropping the worker waits for its end.
        worker.withLock { $0 = nil }
    }
}

/// What the thread does.
private final class ControlListener: Sendable {
    private let redirects: RedirectChanges
    private let union: Union
    private let socket: Descriptor
    private let end: Descriptor

    /// Milliseconds that a message may take after a connection.
    private static let patience: Int32 = 5_000

    init(
        _ redirects: RedirectChanges, _ union: Union, socket: consuming Descriptor,
        end: consuming Descriptor
    ) {
        self.redirects = redirects
        self.union = union
        self.socket = socket
        self.end = end
    }

    func run() {
        while let isConnection = socket.waitReadable(unless: end, milliseconds: -1) {
            guard isConnection, let connection = try? socket.accept() else { continue }
            guard let uid = try? connection.peer(), uid == geteuid() || uid == 0 else { continue }
            guard
                let message = try? connection.receive(
                    limit: RedirectChange.longest, milliseconds: Self.patience), !message.isEmpty
            else { continue }
            if message == NamespaceHold.request {
                union.hold(for: connection, unless: end)
            } else {
                try? connection.send(redirects.outcome(of: message, connection).encoded)
            }
        }
    }
}

extension Descriptor {
    /// Waits until this can be read; false when `milliseconds` (-1: no bound) went by first or a signal came, nil
    /// when `end` could be read.
    borrowing func waitReadable(unless end: borrowing Descriptor, milliseconds: Int32) -> Bool? {
        var requests = [
            pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: end.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        // SAFETY: an array of two.
        let count = unsafe poll(&requests, 2, milliseconds)
        if requests[1].revents != 0 { return nil }
        return count > 0 && requests[0].revents != 0
    }
}
