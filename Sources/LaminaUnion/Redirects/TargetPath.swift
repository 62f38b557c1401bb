// TargetPath owns the walk from the root of a container's tree to a redirect's target, as a program in the
// container would walk: symlinks mean what they mean there, and `..` ends at the root.

import Glibc
import LaminaCore
import LaminaSystem

/// The walk. Its directories stay looked up, so that their nodes keep their numbers.
struct TargetPath {
    private let union: Union
    private var steps: [(id: NodeID, name: ByteString)] = []
    private var links = 0
    /// As the kernel's `MAXSYMLINKS`.
    private static let mostLinks = 40
    private static let mostSteps = 2 * Limits.depth

    init(_ union: Union) {
        self.union = union
    }

    /// The directory that the target is in, and its name there, after a walk; nil for the root.
    var parent: NodeID? {
        steps.isEmpty ? nil : steps.count > 1 ? steps[steps.count - 2].id : .root
    }

    var name: ByteString? { steps.last?.name }

    /// Walks to `path`.
    /// - Parameter type: what is made where the target is missing, after the directories on the way; nil for
    ///   nothing, when `ENOENT` says so.
    /// - Throws: `ENOTDIR`, `ELOOP`; `EBUSY` when it leads to the root.
    mutating func walk(_ path: ByteString, making type: FileType?) throws(Errno) -> Entry {
        var pending = Array(path.components.reversed())
        var last: Entry?
        while let name = pending.popLast() {
            guard steps.count < Self.mostSteps, pending.count < Self.mostSteps else { throw .fileNameTooLong }
            if name == "." { continue }
            if name == ".." {
                if !steps.isEmpty { steps.removeLast() }
                last = nil
                continue
            }
            if let last, last.status.type != .directory { throw .notDirectory }
            let entry = try find(name, making: type.map { pending.isEmpty ? $0 : .directory })
            if entry.status.type == .symlink {
                try follow(entry.id, &pending)
                last = nil
                continue
            }
            steps.append((entry.id, name))
            last = entry
        }
        guard let step = steps.last else { throw .resourceBusy }
        if let last { return last }
        return Entry(id: step.id, status: try union.status(of: step.id))
    }

    private mutating func follow(_ link: NodeID, _ pending: inout [ByteString]) throws(Errno) {
        links += 1
        guard links <= Self.mostLinks else { throw .tooManySymbolicLinkLevels }
        let target = try union.symlinkTarget(of: link)
        if target.hasPrefix("/") { steps.removeAll() }
        pending += target.components.reversed()
    }

    private func find(_ name: ByteString, making type: FileType?) throws(Errno) -> Entry {
        let parent = steps.last?.id ?? .root
        do throws(Errno) {
            let found = try name.withSpan { (name) throws(Errno) in try union.lookup(name, in: parent) }
            if let found { return found }
        } catch .noSuchFileOrDirectory {}
        switch type {
        case nil: throw .noSuchFileOrDirectory
        case .directory:
            return try union.makeDirectory(
                name, in: parent, Creation(permissions: 0o755, uid: 0, gid: 0))
        default:
            return try union.makeNode(
                name, in: parent, type: .regular, device: .zero,
                Creation(permissions: 0o644, uid: 0, gid: 0))
        }
    }
}
