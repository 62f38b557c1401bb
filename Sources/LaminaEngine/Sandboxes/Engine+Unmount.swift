// Unmounting: takes the mount away, waits for the server's end, clears the record.

import Glibc
import LaminaCatalog
import LaminaCore
import LaminaSystem

extension Engine {
    /// How long a server may take to end after its mount is gone. It makes durable what was written, and
    /// the disk may have minutes of other people's writes before it.
    private static let endMilliseconds = 600_000

    /// Unmounts a sandbox and returns when its server has ended; a mount whose server has
    /// died is cleaned up. With `lazy` the mount leaves the tree at once and the server ends
    /// with its last user.
    ///
    /// Throws `busy` while files of the mount are in use or a container runs in it, `failure` when it is not mounted.
    public func unmount(_ name: String, lazy: Bool = false) throws(LaminaError) {
        let lock = try SandboxLock(sandbox(name), called: name)
        let sandbox = try sandbox(name)
        switch sandbox.state {
        case .idle:
            throw LaminaError(.failure, name, "is not mounted")
        case .detached where !lazy:
            throw LaminaError(.busy, name, "was unmounted lazily and is still in use")
        // Its mount namespace holds a copy of the mount, which would go on.
        case .mounted where sandbox.container != nil && !lazy:
            throw LaminaError(.busy, name, "is running; run lamina stop \(name) first")
        case .detached, .mounted, .stale:
            try unmount(sandbox, called: name, lazy: lazy)
        }
        lock.end()
    }

    func unmount(_ sandbox: Sandbox, called name: String, lazy: Bool) throws(LaminaError) {
        if sandbox.state != .detached, let mountpoint = sandbox.mountpoint {
            // A dead server's mount has no users that could be told from live ones by EBUSY.
            try detach(mountpoint, called: name, lazy: lazy || sandbox.state == .stale)
        }
        let ended = MountServer.waitForEnd(
            in: sandbox.directory, milliseconds: lazy ? 1_000 : Self.endMilliseconds)
        guard ended || lazy else {
            throw LaminaError(.failure, name, "is unmounted, but its server did not end")
        }
        guard ended else { return }
        try catalogue { catalog throws(CatalogError) in
            try catalog.setMountpoint(of: sandbox.id, to: nil)
        }
    }

    private func detach(_ mountpoint: ByteString, called name: String, lazy: Bool) throws(LaminaError) {
        do throws(Errno) {
            guard geteuid() != 0 else { return try MountTable.unmount(mountpoint, lazy: lazy) }
            guard let program = Spawn.locate("fusermount3") else { throw Errno.noSuchFileOrDirectory }
            let null = try Descriptor.open("/dev/null", O_RDWR)
            var command = Spawn(program, (lazy ? ["-u", "-z"] : ["-u"]) + ["--", mountpoint])
            command.descriptors = [(0, null.rawValue), (1, null.rawValue), (2, null.rawValue)]
            if try command.run() != 0 { throw Errno.resourceBusy }
        } catch .resourceBusy {
            throw LaminaError(
                .busy, name, "\(mountpoint) is in use; close its files or use --lazy",
                cause: Errno.resourceBusy)
        } catch .noSuchFileOrDirectory where geteuid() != 0 {
            throw LaminaError(
                .failure, "fusermount3", "not found; without root a mount needs it (Debian package fuse3)")
        } catch .notPermitted {
            throw LaminaError(
                .failure, "\(mountpoint)",
                "cannot unmount: it was mounted by another user or in another namespace")
        } catch {
            throw LaminaError(mountpoint, error)
        }
    }

    /// Ends a mount whoever uses it: lazily, and by a signal to a server that stays.
    func forceUnmount(_ sandbox: Sandbox, called name: String) throws(LaminaError) {
        try unmount(sandbox, called: name, lazy: true)
        for signal in [SIGTERM, SIGKILL] {
            guard let process = MountServer.processID(in: sandbox.directory) else { break }
            kill(process, signal)
            _ = MountServer.waitForEnd(in: sandbox.directory, milliseconds: 5_000)
        }
        guard !MountServer.isAlive(in: sandbox.directory) else {
            throw LaminaError(.busy, name, "its server does not end")
        }
        try catalogue { catalog throws(CatalogError) in
            try catalog.setMountpoint(of: sandbox.id, to: nil)
        }
    }
}
