// Mounting a sandbox: checks the place, starts the server, records where.

import Glibc
import LaminaCatalog
import LaminaCore
import LaminaSystem

extension Engine {
    /// Mounts a sandbox at `mountpoint`, or at `merged` in its own directory, and returns the
    /// absolute path when it serves.
    ///
    /// Throws `busy` when the sandbox is mounted already or the place is a mount point,
    /// `notFound` when the place does not exist, `badInput` when it is no directory. A directory
    /// with entries is taken, as mount(8) does; the mount hides them.
    @discardableResult
    public func mount(
        _ name: String, at mountpoint: ByteString? = nil, _ options: MountSettings = MountSettings()
    ) throws(LaminaError) -> ByteString {
        let lock = try SandboxLock(sandbox(name), called: name)
        let sandbox = try sandbox(name)
        switch sandbox.state {
        case .idle: break
        case .mounted:
            let place = sandbox.mountpoint.map { " at \($0)" } ?? ""
            throw LaminaError(.busy, name, "is already mounted\(place)")
        case .stale:
            throw LaminaError(.busy, name, "its server has died; run lamina umount \(name) first")
        case .detached:
            throw LaminaError(.busy, name, "was unmounted lazily and is still in use")
        }
        try refuseCached(sandbox, options)
        let place = try self.place(mountpoint, for: sandbox)
        try writeRedirects(of: sandbox)
        // Recorded first: a crash between this and the mount leaves a hint, not a lost mount.
        try catalogue { catalog throws(CatalogError) in
            try catalog.setMountpoint(of: sandbox.id, to: place.description, readOnly: options.readOnly)
        }
        let arguments: [ByteString] = [
            "--root", root, "--chain", ByteString(sandbox.chainID.hex), "--sandbox", sandbox.directory,
            "--mountpoint", place,
        ]
        do throws(LaminaError) {
            try MountServer.start(arguments + options.arguments, sandbox: sandbox.directory)
        } catch {
            if !MountServer.isAlive(in: sandbox.directory) {
                try? catalog.setMountpoint(of: sandbox.id, to: nil)
            }
            throw LaminaError(error.code, name, error.message, cause: error)
        }
        lock.end()
        return place
    }

    /// The absolute path to mount at, checked.
    private func place(_ mountpoint: ByteString?, for sandbox: Sandbox) throws(LaminaError) -> ByteString {
        let asked = mountpoint ?? sandbox.directory.appending("merged")
        if mountpoint == nil {
            do throws(Errno) {
                try Descriptor.workingDirectory().makeDirectory(asked, permissions: 0o755)
            } catch  where error != .fileExists {
                throw LaminaError(asked, error)
            } catch {}
        }
        let place = try Self.resolved(asked)
        let status = try Self.system(asked) { () throws(Errno) in try FileStatus.of(place) }
        guard status.type == .directory else {
            throw LaminaError(.badInput, "\(asked)", "is not a directory")
        }
        if try Self.mountpoints().contains(place) {
            throw LaminaError(.busy, "\(asked)", "is already a mount point")
        }
        let ownRoot = try Self.resolved(root)
        if place == ownRoot || place == "/" || ownRoot.hasPrefix(place.appending("")) {
            throw LaminaError(.badInput, "\(asked)", "holds the store; a mount there would hide it")
        }
        return place
    }

    /// The path without symlinks, `.` and `..`.
    static func resolved(_ path: ByteString) throws(LaminaError) -> ByteString {
        // SAFETY: realpath gives nil or a terminated string from malloc, freed below.
        let text = unsafe path.withCString { unsafe realpath($0, nil) }
        guard let text = unsafe text else {
            let error = Errno(rawValue: Glibc.errno)
            // The server of a mount there is gone: it is a mount point all the same.
            if error == Errno(rawValue: ENOTCONN) {
                throw LaminaError(.busy, "\(path)", "is a mount point whose server has died")
            }
            throw LaminaError(path, error)
        }
        defer { unsafe free(text) }
        return unsafe ByteString(cString: text)
    }
}
