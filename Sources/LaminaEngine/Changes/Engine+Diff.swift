// What a sandbox changed, by name.

import LaminaCore

extension Engine {
    /// The paths at which a sandbox differs from its image, by path, as `docker diff` lists them:
    /// directories above a change count as changed, and a moved directory is one path that is deleted and
    /// one that is added. O(entries of the sandbox), whatever the size of the image.
    ///
    /// Of a mounted sandbox it is what they are at one instant, for which its server holds them still.
    public func diff(_ name: String) throws(LaminaError) -> [SandboxChange] {
        let sandbox = try sandbox(name)
        // Keeps a prune from the layers.
        let lease = try lease()
        let tree = try SandboxTree(sandbox, of: self)
        let walk = try whileHeld(sandbox, called: name) { () throws(LaminaError) in
            try ChangeWalk(tree, .names)
        }
        let changes = try walk.finish()
        _ = consume lease
        return changes.filter { !$0.path.isEmpty }.map { change in
            SandboxChange(kind: change.kind, path: ByteString("/") + change.path)
        }
    }
}
