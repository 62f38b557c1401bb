// Model is the tree that a script must lead to, in memory: POSIX as Linux has it, seen by root.

import Glibc
import LaminaCore
import LaminaSystem

/// A tree and the files of it that are open.
public final class Model {
    let root: ModelNode
    private var lastID: UInt64 = 0
    var held: [Int: HeldNode] = [:]

    struct HeldNode {
        var node: ModelNode
        var flags: Int32

        var canRead: Bool { flags & O_ACCMODE != O_WRONLY }
        var canWrite: Bool { flags & O_ACCMODE != O_RDONLY }
    }

    init(root: ModelNode) { self.root = root }

    init() {
        root = ModelNode(id: 0, type: .directory, permissions: 0o755, uid: 0, gid: 0, isLower: true)
    }

    func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Does one step and answers as the kernel would.
    public func run(_ operation: Operation) -> Answer {
        do throws(Errno) {
            return try answer(operation)
        } catch {
            return .failed(error)
        }
    }

    private func answer(_ operation: Operation) throws(Errno) -> Answer {
        switch operation {
        case .open(let path, let flags, let permissions):
            _ = try open(path, flags, permissions)
        case .makeDirectory(let path, let permissions):
            try make(path, .directory, permissions)
        case .makeNode(let path, let type, let permissions, let device):
            try make(path, type, permissions, device: device)
        case .symlink(let path, let target):
            try make(path, .symlink, 0o777).target = target
        case .link(let old, let new): try link(old, new)
        case .rename(let old, let new, let flags): try rename(old, new, flags)
        case .removeFile(let path): try removeFile(path)
        case .removeDirectory(let path): try removeDirectory(path)
        case .hold(let slot, let path, let flags):
            held[slot] = nil
            held[slot] = HeldNode(node: try open(path, flags, 0o644), flags: flags)
        case .release(let slot): held[slot] = nil
        case .held(let slot, let operation): return try run(operation, slot: slot)
        case .filesystemStatus: return .done
        case .write, .append, .truncate, .read: return try data(operation)
        default: return try attributes(operation)
        }
        return .done
    }

    /// All nodes by path, the root as the empty one.
    /// - Parameter beneathRedirects: whether those of redirects below the root are among them.
    func nodes(beneathRedirects: Bool = true) -> [ByteString: ModelNode] {
        var result: [ByteString: ModelNode] = [ByteString(): root]
        var pending = [(ByteString(), root)]
        while let (path, directory) = pending.popLast() {
            for (name, node) in directory.entries {
                let place = path.appending(name)
                result[place] = node
                if node.isDirectory, beneathRedirects || !node.isPoint { pending.append((place, node)) }
            }
        }
        return result
    }

    /// The node behind an identity that `run` answered or a held file has; for what overlayfs
    /// is known to answer differently.
    func node(at path: ByteString, follow: Bool) -> ModelNode? {
        try? resolve(path, follow: follow).node
    }
}
