// Removing sandboxes: the row first, then the files, so that a crash leaves garbage for
// prune and never a sandbox without files.

import Glibc
import LaminaCatalog
import LaminaCore
import LaminaSystem

extension Engine {
    /// Removes a sandbox and everything written in it; returns its id. With `volumes` the volumes go
    /// too that were made for it without a name, unless another sandbox uses them.
    ///
    /// Throws `busy` while it is mounted, unless `force`, which ends what runs in it and unmounts it first.
    @discardableResult
    public func remove(
        _ name: String, force: Bool = false, volumes: Bool = false
    ) throws(LaminaError) -> String {
        let known = try sandbox(name)
        if force, known.container != nil, try end(known) { return known.id }
        let lock = try SandboxLock(known, called: name)
        let sandbox = try sandbox(known.id)
        if sandbox.state != .idle {
            guard force else { throw LaminaError(.busy, name, "is mounted; unmount it or use --force") }
            try forceUnmount(sandbox, called: name)
        }
        // Keeps a prune from the directory while it is being removed here.
        let lease = try lease()
        try catalogue { catalog throws(CatalogError) in try catalog.removeSandbox(sandbox.id) }
        var foreign = false
        try Self.system(sandbox.directory) { () throws(Errno) in
            let top = try Descriptor.open(root, OpenFlag.path)
            let target = ByteString("ingest/removed-\(sandbox.id)")
            do throws(Errno) {
                try top.rename(ByteString("sandboxes/\(sandbox.id)"), to: top, target)
            } catch .noSuchFileOrDirectory {
                return
            }
            do throws(Errno) {
                try top.removeTree(target)
            } catch .permissionDenied where geteuid() != 0 {
                foreign = true
            }
        }
        _ = consume lease
        lock.end()
        if volumes { try removeAnonymousVolumes(of: sandbox) }
        if foreign {
            throw LaminaError(
                .failure, name,
                """
                is removed, but some of its files, at \(root)/ingest/removed-\(sandbox.id), belong to ids of a \
                user namespace; run lamina prune in such a namespace
                """)
        }
        return sandbox.id
    }

    /// Ends what runs in a sandbox; whether the sandbox went with it.
    private func end(_ sandbox: Sandbox) throws(LaminaError) -> Bool {
        try stop(sandbox.id, seconds: 0)
        let records = try catalogue { catalog throws(CatalogError) in
            try catalog.sandboxes(matching: sandbox.id)
        }
        return records.isEmpty
    }

    /// Removes what `-v PATH`, `--mount` without a source and the image's `VOLUME`s made.
    private func removeAnonymousVolumes(of sandbox: Sandbox) throws(LaminaError) {
        for redirect in sandbox.redirects where redirect.kind == .volume && redirect.isAnonymous {
            do throws(LaminaError) {
                try removeVolume(redirect.source.description, force: true)
            } catch {
                guard case .volumeInUse? = error.cause as? CatalogError else { throw error }
            }
        }
    }
}
