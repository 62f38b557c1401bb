// What a sandbox changed, by name.

import LaminaCore

extension Engine {
    /// The paths at which a sandbox differs from its image, by path, as `docker diff` lists them:
    /// directories above a change count as changed, and a moved directory is one path that is deleted and
    /// one that is added. O(entries of the sandbox), whatever the size of the image.
    ///
    /// Of a mounted sandbox this is what each path was when it was looked at.
    public func diff(_ name: String) throws(LaminaError) -> [SandboxChange] {
        let sandbox = try sandbox(name)
        // Keeps a prune from the layers.
        let lease = try lease()
        let changes = try ChangeWalk.changes(of: SandboxTree(sandbox, of: self), expandsMoved: false)
        _ = consume lease
        return changes.filter { !$0.path.isEmpty }.map { change in
            SandboxChange(kind: change.kind, path: ByteString("/") + change.path)
        }
    }
}
