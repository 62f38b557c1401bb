// Opening what a redirect leads to, when a mount begins. The path was looked at when the sandbox was made, and may
// lead elsewhere by now: it is judged again by what was opened.

import Glibc
import LaminaCore
import LaminaSystem

/// Why a redirect cannot be served.
public struct RedirectFailure: Error, CustomStringConvertible {
    public let target: ByteString
    public let reason: String

    init(_ redirect: Redirect, _ reason: String) {
        target = redirect.target
        self.reason = reason
    }

    public var description: String { "redirect at \(target): \(reason)" }
}

extension HostTree {
    /// - Parameter store: the store's root, which no bind may reach.
    static func open(
        _ placed: PlacedRedirect, store: ByteString, in table: HostTable, _ claims: VolumeClaims
    ) throws(RedirectFailure) -> HostTree {
        let redirect = placed.redirect
        switch redirect.kind {
        case .tmpfs:
            return try attempt(redirect, "cannot make a tmpfs") { () throws(Errno) in
                try openMemory(redirect, table)
            }
        case .image: throw RedirectFailure(redirect, "is an image, and no files of this machine")
        case .volume: return try openVolume(placed, table, claims.claim(placed.place))
        case .bind: return try openBind(placed, store, table)
        }
    }

    private static func attempt<Value: ~Copyable>(
        _ redirect: Redirect, _ subject: String, _ body: () throws(Errno) -> Value
    ) throws(RedirectFailure) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw RedirectFailure(redirect, "\(subject): \(error)")
        }
    }

    /// Memory that nobody else can reach, and that ends with this process.
    private static func openMemory(_ redirect: Redirect, _ table: HostTable) throws(Errno) -> HostTree {
        let size = redirect.size.flatMap { $0 > 0 ? ByteString("\($0)") : nil } ?? "50%"
        let mode = redirect.permissions.flatMap { $0 > 0 ? $0 : nil } ?? 0o1777
        let memory = try Descriptor.memoryTree(size: size, permissions: mode)
        return HostTree(redirect, .fixed(SharedDescriptor(memory)), isDirectory: true, in: table)
    }

    private static func openVolume(
        _ placed: PlacedRedirect, _ table: HostTable, _ claim: VolumeClaim
    ) throws(RedirectFailure) -> HostTree {
        let redirect = placed.redirect
        let files = try attempt(redirect, "\(placed.place)") { () throws(Errno) in
            try Descriptor.open(placed.place, OpenFlag.path | O_DIRECTORY | O_NOFOLLOW)
        }
        guard let subpath = redirect.subpath, !subpath.components.isEmpty else {
            return try attempt(redirect, "\(placed.place)") { () throws(Errno) in
                try make(redirect, table, files, in: nil, claim)
            }
        }
        return try attempt(redirect, "\(placed.place): \(subpath)") { () throws(Errno) in
            // As Docker: symlinks of the volume count while they stay in it.
            let resolve = Resolve.beneath | Resolve.noMagicLinks | Resolve.noMountCrossing
            let file = try files.open(subpath, OpenFlag.path, resolve: resolve)
            let parent = subpath.components.dropLast().reduce("." as ByteString) { $0.appending($1) }
            let directory = try files.open(parent, OpenFlag.path | O_DIRECTORY, resolve: resolve)
            guard let name = subpath.components.last, name != ".." else { throw .invalidArgument }
            return try make(redirect, table, file, in: (SharedDescriptor(directory), name), claim)
        }
    }

    private static func openBind(
        _ placed: PlacedRedirect, _ store: ByteString, _ table: HostTable
    ) throws(RedirectFailure) -> HostTree {
        let redirect = placed.redirect
        let file = try attempt(redirect, "\(placed.place)") { () throws(Errno) in
            try Descriptor.open(placed.place, OpenFlag.path)
        }
        let place = try attempt(redirect, "\(placed.place)") { () throws(Errno) in
            try Descriptor.workingDirectory().readLink(file.processPath)
        }
        if !redirect.allowsSpecial, let reason = try specialReason(of: file, at: place, store, redirect) {
            throw RedirectFailure(redirect, "\(placed.place): \(reason); --allow-special permits it")
        }
        return try attempt(redirect, "\(placed.place)") { () throws(Errno) in
            guard let name = place.components.last else { return try make(redirect, table, file, in: nil) }
            let parent = place.components.dropLast().reduce("/" as ByteString) { $0.appending($1) }
            let directory = SharedDescriptor(try Descriptor.open(parent, OpenFlag.path | O_DIRECTORY))
            return try make(redirect, table, file, in: (directory, name))
        }
    }

    /// Why what was opened is not to be handed to a container.
    private static func specialReason(
        of file: borrowing Descriptor, at place: ByteString, _ store: ByteString, _ redirect: Redirect
    ) throws(RedirectFailure) -> String? {
        // PROC_SUPER_MAGIC, SYSFS_MAGIC: whatever the path to them.
        let type = try attempt(redirect, "\(place)") { () throws(Errno) in try file.filesystemType() }
        if type == 0x9FA0 || type == 0x6265_6572 { return "is one of the kernel's own files" }
        if place.components.isEmpty { return "is the root of the host" }
        let ownRoot = try attempt(redirect, "\(store)") { () throws(Errno) in
            let directory = try Descriptor.open(store, OpenFlag.path)
            return try Descriptor.workingDirectory().readLink(directory.processPath)
        }
        if place.components.starts(with: ownRoot.components) { return "is in the store" }
        if ownRoot.components.starts(with: place.components) { return "holds the store" }
        return nil
    }

    /// A tree on `file`, which has the name in `parent`. What is beneath the file by other mounts is left out,
    /// and a read-only one is on a mount that refuses writing, so far as this process may mount.
    private static func make(
        _ redirect: Redirect, _ table: HostTable, _ file: borrowing Descriptor,
        in parent: (SharedDescriptor, ByteString)?, _ claim: VolumeClaim? = nil
    ) throws(Errno) -> HostTree {
        let status = try file.status()
        switch status.type {
        case .directory:
            let root = try detached(file, redirect)
            return HostTree(redirect, .fixed(SharedDescriptor(root)), isDirectory: true, in: table, claim)
        // The kernel would make a socket or FIFO of the mount's own, which leads nowhere.
        case .socket, .fifo, nil: throw .notSupported
        default: break
        }
        let last = SharedDescriptor(try file.duplicate())
        guard let (directory, name) = parent else {
            return HostTree(redirect, .fixed(last), isDirectory: false, in: table, claim)
        }
        let root = try detached(directory.descriptor, redirect)
        // A file that something is mounted on has another one beneath.
        guard let found = try? step(from: root, to: name), let same = try? found.status(),
            (same.device, same.inode) == (status.device, status.inode)
        else { return HostTree(redirect, .fixed(last), isDirectory: false, in: table, claim) }
        return HostTree(
            redirect, .named(SharedDescriptor(root), name, last: SharedDescriptor(found)), isDirectory: false,
            in: table, claim)
    }

    private static func detached(
        _ directory: borrowing Descriptor, _ redirect: Redirect
    ) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try directory.detachedMount(readOnly: redirect.readOnly)
        } catch {
            return try directory.duplicate()
        }
    }
}
