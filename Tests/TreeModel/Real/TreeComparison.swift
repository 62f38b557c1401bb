// Comparing a whole real tree with a model: names, types, attributes, bytes, links, inodes.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport

/// Which answers of a real tree are known to differ, each a row of docs/SEMANTICS.md.
public struct Tolerance: Sendable {
    /// Names of a layer's file that other layers hide still count as links.
    public var countsHiddenLinks = false
    /// Inode numbers may change, as overlayfs's do without a common filesystem.
    public var identityMayChange = false
    /// What is done to a layer's open file that lost its last name fails or brings a name back.
    public var losesUnlinkedFiles = false
    /// A file opened for reading before its copy-up goes on showing the layer's bytes.
    public var readersKeepOldBytes = false
    /// The same of files that are objects.
    public var readersKeepObjects = false
    /// Where redirects stand, the tree has what they cover.
    public var showsCovered = false
    /// Copying up, and a rename that is refused, may set the time of what the layers have.
    public var copiesMayBeYounger = false

    public init() {}

    /// A mount as the tests make it: the kernel reads objects by itself unless `LAMINA_TEST_MOUNT` says no.
    public static let lamina: Tolerance = {
        var result = Tolerance()
        result.readersKeepObjects = !MountedSandbox.commonOptions.contains("--no-passthrough")
        return result
    }()

    /// A host's directory that a redirect leads to.
    public static let host: Tolerance = {
        var result = Tolerance()
        result.showsCovered = true
        return result
    }()

    /// Kernel overlayfs.
    public static let overlayfs: Tolerance = {
        var result = Tolerance()
        result.countsHiddenLinks = true
        result.identityMayChange = true
        result.losesUnlinkedFiles = true
        result.readersKeepOldBytes = true
        result.copiesMayBeYounger = true
        return result
    }()
}

/// Watches one real tree against a model, over remounts too.
public final class TreeComparison {
    private let tolerance: Tolerance
    /// Inode numbers by the model's numbers of nodes that live.
    private var inodes: [UInt64: UInt64] = [:]

    public init(_ tolerance: Tolerance = .lamina) {
        self.tolerance = tolerance
    }

    /// Whether a step must not be taken on this tree.
    public func skips(_ step: Operation, in model: Model) -> Bool {
        guard tolerance.losesUnlinkedFiles, case .held(let slot, _) = step, let node = model.held[slot]?.node
        else { return false }
        return node.isLower && node.links == 0
    }

    /// What is wrong with a step's answer; nil when it is right.
    public func difference(of step: Operation, _ real: Answer, _ model: Answer, in expected: Model) -> String?
    {
        switch (real, model) {
        case (.status(let real), .status(let model)):
            return difference(real, model, node: statusNode(of: step, in: expected))
        case (.names(let real), .names(let model)):
            // What a redirect's point says of it.
            let expected = real.subtracting(["user.lamina.redirect"])
            return expected == model ? nil : "\(Answer.names(real)), expected \(Answer.names(model))"
        case (.bytes, .bytes) where isOldReader(step, in: expected):
            return nil
        default:
            return real == model ? nil : "\(real), expected \(model)"
        }
    }

    private func statusNode(of step: Operation, in model: Model) -> ModelNode? {
        switch step {
        case .status(let path): model.node(at: path, follow: false)
        case .held(let slot, _): model.held[slot]?.node
        default: nil
        }
    }

    private func isOldReader(_ step: Operation, in model: Model) -> Bool {
        guard case .held(let slot, .read) = step, let file = model.held[slot] else { return false }
        guard tolerance.readersKeepOldBytes || tolerance.readersKeepObjects && file.node.isObject else {
            return false
        }
        return file.node.isLower && file.node.isWritten && !file.canWrite
    }

    private func difference(_ real: NodeStatus, _ model: NodeStatus, node: ModelNode?) -> String? {
        let mayBeYounger = tolerance.copiesMayBeYounger && node?.isLower ?? true
        guard case .exactly(let time) = real.time,
            model.time.matches(time) || mayBeYounger && ModificationTime.recent.matches(time)
        else {
            return "time \(real.time), expected \(model.time)"
        }
        var comparable = real
        comparable.time = model.time
        comparable.identity = model.identity
        if areLinksRight(real, model, node) { comparable.links = model.links }
        if comparable != model { return "\(Answer.status(real)), expected \(Answer.status(model))" }
        return identityDifference(real.identity, model.identity)
    }

    private func areLinksRight(_ real: NodeStatus, _ model: NodeStatus, _ node: ModelNode?) -> Bool {
        if real.links == model.links { return true }
        if model.type == .directory { return real.links == 1 && (node?.isLower ?? true) }
        guard tolerance.countsHiddenLinks, let node else { return false }
        return node.hiddenLinks > 0
    }

    private func identityDifference(_ inode: UInt64, _ id: UInt64) -> String? {
        guard !tolerance.identityMayChange else { return nil }
        let known = inodes.updateValue(inode, forKey: id)
        if let known, known != inode { return "inode \(inode), before \(known)" }
        return nil
    }
}

extension TreeComparison {
    /// What differs between a tree and its model, at most ten lines.
    public func differences(of tree: RealTree, from model: Model) -> [String] {
        let expected = model.nodes(beneathRedirects: !tolerance.showsCovered)
        var found: [String] = []
        var seen: Set<ByteString> = []
        do throws(Errno) {
            try walk(tree.root, ByteString()) { (path, entry, directory) throws(Errno) in
                guard found.count < 10 else { return }
                seen.insert(path)
                guard let node = expected[path] else {
                    found.append("\(path): should not be there")
                    return
                }
                if node.isPoint, tolerance.showsCovered, !path.isEmpty { return }
                if let text = try nodeDifference(entry, in: directory, node) {
                    found.append("\(path): \(text)")
                }
            }
        } catch {
            found.append("walking the tree: \(error)")
        }
        for path in expected.keys.sorted() where !seen.contains(path) && found.count < 10 {
            found.append("\(path): is missing")
        }
        return found + sharedInodes(expected.values.map(\.id), model)
    }

    /// What a listing says of a name.
    private struct Listed {
        var name: ByteString
        var inode: UInt64
        var type: FileType?
    }

    private typealias Visit = (
        _ path: ByteString, _ entry: Listed, _ directory: borrowing Descriptor
    ) throws(Errno) -> Void

    private func walk(
        _ directory: borrowing Descriptor, _ path: ByteString, _ visit: Visit
    ) throws(Errno) {
        if path.isEmpty {
            let inode = try directory.status().inode
            try visit(path, Listed(name: ".", inode: inode, type: .directory), directory)
        }
        for entry in try directory.entries() {
            let place = path.appending(entry.name)
            try visit(place, Listed(name: entry.name, inode: entry.inode, type: entry.type), directory)
            if entry.type == .directory {
                try walk(directory.openDirectory(entry.name), place, visit)
            }
        }
    }

    private func nodeDifference(
        _ entry: Listed, in directory: borrowing Descriptor, _ node: ModelNode
    ) throws(Errno) -> String? {
        let status = try NodeStatus(directory.status(of: entry.name))
        if let text = difference(status, node.status, node: node) { return text }
        if entry.type != node.type { return "listed as \(entry.type.map { "\($0)" } ?? "?")" }
        // As at any mount point, the listing knows what is covered.
        if entry.inode != status.identity, !tolerance.identityMayChange, !node.isPoint {
            return "listed with inode \(entry.inode), stat says \(status.identity)"
        }
        let handle = try directory.openPath(entry.name)
        if let text = try attributeDifference(handle, node) { return text }
        switch node.type {
        case .regular:
            let bytes = try handle.reopen(O_RDONLY).readBytes(at: 0, count: node.bytes.count + 1)
            if bytes != node.bytes {
                let place = zip(bytes, node.bytes).enumerated().first { $0.element.0 != $0.element.1 }?.offset
                return "\(bytes.count) bytes, expected \(node.bytes.count); different from \(place ?? -1) on"
            }
        case .symlink:
            let target = try directory.readLink(entry.name)
            if target != node.target { return "leads to \(target), expected \(node.target)" }
        default: break
        }
        return nil
    }

    private func attributeDifference(
        _ handle: borrowing Descriptor, _ node: ModelNode
    ) throws(Errno) -> String? {
        var names = Set(try handle.extendedAttributeNames())
        // What a sandbox notes for itself is only hidden where it is known.
        if tolerance.identityMayChange { names = names.filter { !$0.hasPrefix("trusted.lamina.") } }
        if node.isPoint { names.remove("user.lamina.redirect") }
        if names != Set(node.attributes.keys) {
            return "xattrs \(names.sorted()), expected \(node.attributes.keys.sorted())"
        }
        for (name, value) in node.attributes where try handle.extendedAttribute(name) != value {
            return "xattr \(name) has another value"
        }
        return nil
    }

    /// Living nodes with one inode number; numbers of nodes that are gone may come back.
    private func sharedInodes(_ living: [UInt64], _ model: Model) -> [String] {
        var owner: [UInt64: UInt64] = [:]
        var result: [String] = []
        let all = Set(living).union(model.held.values.map(\.node.id))
        inodes = inodes.filter { all.contains($0.key) }
        for (id, inode) in inodes {
            if let other = owner.updateValue(id, forKey: inode) {
                result.append("nodes \(other) and \(id) have one inode, \(inode)")
            }
        }
        return result
    }
}
