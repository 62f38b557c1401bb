// Redirects of the model: nodes at whose edge hard links and renames end.

import LaminaCore
import LaminaSystem

extension Model {
    /// Puts what a redirect leads to at a path, in the place of what is there, as root's and empty.
    /// - Parameter number: of the redirect, above 0.
    public func redirect(_ path: ByteString, number: Int, type: FileType) {
        guard let place = try? resolve(path, follow: false) else { return }
        let node = ModelNode(
            id: nextID(), type: type, permissions: 0o755, uid: 0, gid: 0, redirect: number)
        node.isPoint = true
        if node.isDirectory { node.parent = place.parent }
        place.parent.entries[place.name] = node
    }

    /// The tree of one redirect as its host has it: a model of its own, sharing the nodes.
    public func tree(at path: ByteString) -> Model? {
        guard let node = node(at: path, follow: false) else { return nil }
        return Model(root: node)
    }
}
