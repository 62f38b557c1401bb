// RedirectChanges owns how redirects are added and removed while a mount is served.
//
// Invariant: it holds no lock while the kernel is told of a change, which may wait for a directory that somebody changes.

import Glibc
import LaminaCore
import LaminaUnion
import LaminaSystem
import Synchronization

/// Makes the changes that messages ask for.
final class RedirectChanges: Sendable {
    private let server: Server
    private let control: MountControl
    private let device: Int32

    init(_ server: Server, _ control: MountControl, _ device: Int32) {
        self.server = server
        self.control = control
        self.device = device
    }

    func outcome(of message: [UInt8], _ connection: borrowing Descriptor) -> RedirectChange.Outcome {
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
