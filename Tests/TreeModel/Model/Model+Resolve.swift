// Path resolution of the model (path_resolution(7)): symlinks are relative and never go up.

import Glibc
import LaminaCore

/// Where a path leads: a name in a directory, and what is there.
struct ModelPlace {
    var parent: ModelNode
    var name: ByteString
    var node: ModelNode?
}

extension Model {
    /// - Parameter follow: whether a symlink at the end is followed.
    func resolve(_ path: ByteString, follow: Bool) throws(Errno) -> ModelPlace {
        var rest = Array(path.components.filter { $0 != "." }.reversed())
        var directory = root
        var followed = 0
        while let name = rest.popLast() {
            let node = directory.entries[name]
            if let node, node.type == .symlink, follow || !rest.isEmpty {
                followed += 1
                guard followed <= 40 else { throw .tooManySymbolicLinkLevels }
                rest += node.target.components.reversed()
                continue
            }
            if rest.isEmpty { return ModelPlace(parent: directory, name: name, node: node) }
            guard let node else { throw .noSuchFileOrDirectory }
            guard node.isDirectory else { throw .notDirectory }
            directory = node
        }
        return ModelPlace(parent: root, name: ByteString(), node: root)
    }

    /// What is at a path.
    func find(_ path: ByteString, follow: Bool) throws(Errno) -> ModelNode {
        guard let node = try resolve(path, follow: follow).node else { throw .noSuchFileOrDirectory }
        return node
    }
}
