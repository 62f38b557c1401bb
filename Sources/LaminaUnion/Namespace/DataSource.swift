// Where the bytes of copied-up files are: found when a node is met, decided when a file is
// opened for writing or cut, and written down when it leaves its own name.

import Glibc
import LaminaCore
import LaminaSystem

extension Namespace {
    /// The lower file of a metacopy that overlayfs made, by its rules: an absolute redirect,
    /// a redirect within the directory, or the file's own name.
    func foreignOrigin(
        of handle: borrowing Descriptor, _ name: ByteString, in directory: UpperNode
    ) throws(Errno) -> UInt64? {
        guard try handle.mark(upper.convention.metacopy) != nil else { return nil }
        var path = name
        if let redirect = try handle.mark(upper.convention.redirect) {
            path = ByteString(redirect)
        }
        let nid: UInt64?
        if path.hasPrefix("/") {
            nid = try lower.node(atPath: path)
        } else if let merged = directory.lower {
            nid = try lower.lookup(path, in: merged)
        } else {
            nid = nil
        }
        guard let nid, FileType(mode: try lower.node(nid).mode) == .regular else { return nil }
        return nid
    }

    /// Copies a regular file up for writing. What remains to do for one whose attributes were copied up
    /// before, and which is not small, is for `UpperData.prepareForWriting`, outside the namespace's lock.
    mutating func prepareForWriting(_ id: NodeID, truncating: Bool) throws(Errno) {
        if table[id] == nil {
            _ = try copyUp(id, bytes: truncating ? .first(0) : .forWriting)
            return
        }
        guard let node = table[id] else { return }
        guard node.id == id else { throw .staleNFSFileHandle }
        guard let data = node.data, !data.isWhole else { return }
        let handle = try upper.open(node)
        if truncating {
            try data.truncate(handle, to: 0)
        } else if data.isSmall {
            try data.prepareForWriting(handle.reopen(O_WRONLY))
        }
    }

    /// Sets the size of a regular file. Bytes that are dropped are not copied first.
    mutating func setSize(of id: NodeID, to size: UInt64) throws(Errno) {
        guard let target = Int64(exactly: size) else { throw .fileTooLarge }
        if table[id] == nil, let nid = id.nid {
            let kept = min(size, try lower.node(nid).size)
            _ = try copyUp(id, bytes: kept <= UpperData.wholeLimit ? .first(kept) : .none)
        }
        let node = try copyUp(id)
        let handle = try upper.open(node)
        if let data = node.data { return try data.truncate(handle, to: size) }
        try handle.setPathSize(target)
    }

    /// Makes a copied-up node independent of its name, before it gets another: a file whose
    /// bytes are the lower's then says where that is, as overlayfs wants it.
    func leaveOwnName(_ node: UpperNode) throws(Errno) {
        guard let data = node.data, data.isMetacopy else { return }
        let handle = try upper.open(node)
        guard try handle.mark(upper.convention.redirect) == nil else { return }
        let path = try lower.path(of: data.source)
        try path.withSpan { (bytes) throws(Errno) in
            try handle.setExtendedAttribute(upper.convention.redirect, bytes.raw)
        }
    }
}
