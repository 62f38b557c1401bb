// Removing sandboxes: the row first, then the files, so that a crash leaves garbage for
// prune and never a sandbox without files.

import LaminaCatalog
import LaminaCore
import LaminaSystem

extension Engine {
    /// Removes a sandbox and everything written in it; returns its id.
    ///
    /// Throws `busy` while it is mounted, unless `force`, which unmounts it first.
    @discardableResult
    public func remove(_ name: String, force: Bool = false) throws(LaminaError) -> String {
        let sandbox = try sandbox(name)
        if sandbox.state != .idle {
            guard force else { throw LaminaError(.busy, name, "is mounted; unmount it or use --force") }
            try forceUnmount(sandbox, called: name)
        }
        try catalogue { catalog throws(CatalogError) in try catalog.removeSandbox(sandbox.id) }
        try Self.system(sandbox.directory) { () throws(Errno) in
            let top = try Descriptor.open(root, OpenFlag.path)
            let target = ByteString("ingest/removed-\(sandbox.id)")
            do throws(Errno) {
                try top.rename(ByteString("sandboxes/\(sandbox.id)"), to: top, target)
            } catch .noSuchFileOrDirectory {
                return
            }
            try top.removeTree(target)
        }
        return sandbox.id
    }
}
