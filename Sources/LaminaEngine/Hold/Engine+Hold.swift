// Listing a sandbox that may be mounted: its server holds the names still meanwhile.

import Glibc
import LaminaCore
import LaminaSystem

extension Engine {
    /// Runs `list` while no name of the sandbox changes: at once where nothing is mounted, else while the server
    /// holds them. It must not touch the mount, which waits. What it lists is of one instant, whatever is written.
    ///
    /// Throws `busy` for a sandbox whose server died, was unmounted lazily, or would have to wait for longer than
    /// `NamespaceHold.longest`.
    func whileHeld<Value>(
        _ sandbox: Sandbox, called name: String, _ list: () throws(LaminaError) -> Value
    ) throws(LaminaError) -> Value {
        switch sandbox.state {
        case .idle: return try list()
        case .mounted: break
        case .stale: throw LaminaError(.busy, name, "its server has died; run lamina umount \(name) first")
        case .detached: throw LaminaError(.busy, name, "was unmounted lazily and is still in use")
        }
        // What was listed once is in the kernel's caches, so that the next time is quicker.
        for _ in 0..<3 {
            let connection = try Self.asking(name) { () throws(Errno) in try Self.hold(sandbox) }
            let outcome = Result { () throws(LaminaError) in try list() }
            let isWhole = try Self.asking(name) { () throws(Errno) in try Self.goOn(connection) }
            if isWhole { return try outcome.get() }
        }
        let seconds = NamespaceHold.longest / 1_000
        throw LaminaError(
            .busy, name, "has too many changes to be listed within \(seconds) seconds; unmount it first")
    }

    /// The entries of a layer, or of the whole tree, that a sandbox is at one instant. What was written since is in
    /// the files, which are read later.
    func layerItems(
        of tree: SandboxTree, _ sandbox: Sandbox, called name: String, _ purpose: ChangeWalk.Purpose
    ) throws(LaminaError) -> [LayerItem] {
        let walk = try whileHeld(sandbox, called: name) { () throws(LaminaError) in
            guard sandbox.state == .mounted else { return try ChangeWalk(tree, purpose) }
            let filesystem = try Self.system(sandbox.directory) { () throws(Errno) in
                try tree.duplicateOfWork()
            }
            return try ChangeWalk(tree, purpose, holding: HeldFiles(on: filesystem))
        }
        return try LayerItems.items(for: walk.finish(), of: tree)
    }

    private static func hold(_ sandbox: Sandbox) throws(Errno) -> Descriptor {
        let connection = try Descriptor.open(sandbox.directory, OpenFlag.path | O_DIRECTORY)
            .connect(to: RedirectChange.socket)
        try connection.send(NamespaceHold.request)
        // A change of redirects that is being made comes first.
        let answer = try connection.receive(limit: 5_000, milliseconds: MountServer.startMilliseconds)
        guard let answer else { throw .timedOut }
        guard answer == NamespaceHold.held else { throw .protocolError }
        return connection
    }

    /// Ends the hold; false when it had ended before.
    private static func goOn(_ connection: borrowing Descriptor) throws(Errno) -> Bool {
        do throws(Errno) {
            try connection.send(NamespaceHold.goOn)
            return try connection.receive(limit: 16, milliseconds: 5_000) == NamespaceHold.ended
        } catch .brokenPipe, .connectionReset {
            return false
        }
    }

    private static func asking<Value: ~Copyable>(
        _ name: String, _ call: () throws(Errno) -> Value
    ) throws(LaminaError) -> Value {
        do throws(Errno) {
            return try call()
        } catch {
            throw LaminaError(
                .failure, name, "its server cannot hold its files still: \(error)", cause: error)
        }
    }
}
