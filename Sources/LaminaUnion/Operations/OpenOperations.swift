// Opening regular files, and copying them up for it.

import Glibc
import LaminaCore
import LaminaSystem

extension Union {
    /// Opens a regular file. For writing, a lower file is copied up first, large ones block by
    /// block as they are written; with `O_TRUNC`, no byte is copied.
    public func open(_ id: NodeID, flags: Int32) throws(Errno) -> OpenFile {
        let writes = flags & O_ACCMODE != O_RDONLY
        let truncates = flags & O_TRUNC != 0
        if !writes, !truncates, let nid = untouched(id) {
            return OpenFile(id: id, union: self, source: .lower(try lower.openContent(nid)))
        }
        if id.isRedirected {
            return OpenFile(id: id, union: self, source: try redirects.open(id, flags: flags))
        }
        if writes || truncates {
            // Here nobody waits for it but this caller.
            try upper.unsettled.makeRoom()
            try change { (namespace) throws(Errno) in
                try namespace.prepareForWriting(id, truncating: truncates)
            }
        }
        let kept = keptFlags(flags) | flags & O_TRUNC
        guard let source = try openUpper(id, flags: kept) else {
            guard !writes, let nid = id.nid else { throw .staleNFSFileHandle }
            return OpenFile(id: id, union: self, source: .lower(try lower.openContent(nid)))
        }
        if writes, case .upper(let file, let use?) = source {
            try use.data.prepareForWriting(file.descriptor)
            // The kernel may write and sync past this server.
            if kept & (O_SYNC | O_DSYNC) != 0 { try use.data.sync(file.descriptor, dataOnly: false) }
        }
        return OpenFile(id: id, union: self, source: source)
    }

    /// What of an open's flags its file on disk is opened with. Appending is the kernel's business: its
    /// requests name the offset.
    func keptFlags(_ flags: Int32) -> Int32 {
        flags & (O_ACCMODE | (upper.isVolatile ? 0 : O_SYNC | O_DSYNC))
    }

    /// Opens the sandbox's file behind `id`; nil when the sandbox has none.
    /// - Parameter isFollowing: whether this is for a file that was open before its copy-up.
    /// - Throws: `ESTALE` when the node got another number.
    func openUpper(
        _ id: NodeID, flags: Int32, isFollowing: Bool = false
    ) throws(Errno) -> OpenFile.Source? {
        try withNamespace { (namespace) throws(Errno) in
            guard let node = namespace.table[id] else { return nil }
            // The path leads to another number now, under which the kernel will ask again.
            guard node.id == id || isFollowing else { throw .staleNFSFileHandle }
            let file = SharedDescriptor(try namespace.upper.openFile(node, flags))
            guard let data = node.data, !data.isPlain else { return .upper(file, nil) }
            return .upper(file, DataUse(data))
        }
    }
}
