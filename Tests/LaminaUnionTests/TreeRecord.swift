// TreeRecord writes down what a container sees, so that two states can be compared.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport

@testable import LaminaUnion

/// A line for each name of a tree. Times of files count unless they are newer than
/// `start`; those of directories do not, because a crash in a copy-up may leave them new.
struct TreeRecord: Equatable, CustomStringConvertible {
    var lines: [String] = []

    init(of union: Union, start: Timestamp) throws {
        try add(.root, "", union, start)
        lines.sort()
    }

    private mutating func add(
        _ id: NodeID, _ path: ByteString, _ union: Union, _ start: Timestamp
    ) throws {
        let status = try union.status(of: id)
        var line = "\(path) \(String(status.mode, radix: 8)) \(status.uid) inode \(status.inode)"
        for name in try union.extendedAttributeNames(of: id).sorted() {
            line += " \(name)=\(try union.extendedAttribute(of: id, name))"
        }
        if status.type == .directory {
            for entry in try union.names(in: id) {
                let child = try entry.withSpan { (name) throws(Errno) in try union.lookup(name, in: id) }
                if let child { try add(child.id, path.appending(entry), union, start) }
            }
        } else {
            line += " links \(status.linkCount) size \(status.size)"
            line += " mtime \(status.mtime >= start ? "new" : "\(status.mtime)")"
        }
        if status.type == .regular {
            line += " \(sha256(try union.open(id, flags: O_RDONLY).bytes()).hex)"
        }
        lines.append(line)
    }

    var ignoringTimes: [String] {
        lines.map { $0.replacing(#/ mtime (new|Timestamp\([^)]*\))/#, with: "") }
    }

    /// The lines that the other has not.
    func difference(from other: TreeRecord) -> String {
        lines.filter { !other.lines.contains($0) }.joined(separator: "\n")
    }

    var description: String { lines.joined(separator: "\n") }
}

extension Union {
    fileprivate func names(in directory: NodeID) throws -> [ByteString] {
        var result: [ByteString] = []
        try forEachEntry(of: directory, from: 0) { name, _, _, _ in
            let name = ByteString(name)
            if name != "." && name != ".." { result.append(name) }
            return true
        }
        return result
    }
}
