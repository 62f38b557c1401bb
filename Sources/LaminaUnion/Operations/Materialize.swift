// Making block-mapped files whole, for whoever reads the sandbox without this program.

import Glibc
import LaminaCore
import LaminaSystem

/// What a materialisation did.
public struct MaterializeReport: Sendable {
    /// Files that were filled.
    public var files = 0
}

extension Union {
    /// Fills what a file's block map leaves to the layers, and drops the map. A file that has
    /// all its bytes stays as it is.
    public func materialize(_ id: NodeID) throws(Errno) {
        guard let source = try openUpperForChange(id), case .upper(let file, let use?) = source else {
            return
        }
        try use.data.materialize(file.descriptor)
    }

    private func openUpperForChange(_ id: NodeID) throws(Errno) -> OpenFile.Source? {
        guard !isReadOnly else { throw .readOnlyFileSystem }
        return try openUpper(id, flags: O_WRONLY)
    }

    /// Materialises every block-mapped file of the sandbox, and removes maps that no file
    /// names. O(entries of the sandbox + missing bytes). Nobody may use the union meanwhile.
    /// - Parameter metacopies: files without any bytes of their own, which overlayfs can
    ///   read, get theirs too.
    public func materialize(metacopies: Bool) throws(Errno) -> MaterializeReport {
        guard !isReadOnly else { throw .readOnlyFileSystem }
        var report = MaterializeReport()
        var pending: [NodeID] = [.root]
        while let directory = pending.popLast() {
            for entry in try listed(in: directory) {
                switch entry.status.type {
                case .directory: pending.append(entry.id)
                case .regular where try materialize(entry.id, metacopies: metacopies): report.files += 1
                default: break
                }
            }
        }
        try settleAll()
        try upper.maps.removeAll()
        return report
    }

    /// The entries of a directory that are in the sandbox.
    private func listed(in directory: NodeID) throws(Errno) -> [Entry] {
        try withNamespace { (namespace) throws(Errno) in
            guard let node = namespace.table[directory], node.type == .directory else { return [] }
            var result: [Entry] = []
            for entry in try namespace.upper.open(node).openDirectory(".").entries() {
                if let found = try namespace.lookup(entry.name, in: node) { result.append(found) }
            }
            return result
        }
    }

    private func materialize(_ id: NodeID, metacopies: Bool) throws(Errno) -> Bool {
        let data = try withNamespace { (namespace) throws(Errno) in namespace.table[id]?.data }
        guard let data, !data.isWhole, metacopies || !data.isMetacopy else { return false }
        try materialize(id)
        return true
    }
}
