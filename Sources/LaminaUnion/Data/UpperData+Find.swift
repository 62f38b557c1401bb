// Finding out from a file's marks where its bytes are (docs/FORMAT-sandbox.md), and going back to the
// layer's where a power cut may have taken them.

import Glibc
import LaminaCore
import LaminaSystem

extension UpperData {
    /// The marks of one file.
    private struct Marks {
        let isRefused: Bool
        let map: [UInt8]?
        let fresh: [UInt8]?

        /// Nil for a file without marks.
        init?(of handle: borrowing Descriptor, _ upper: UpperTree) throws(Errno) {
            // The last one to go.
            guard let metacopy = try handle.mark(upper.convention.metacopy) else { return nil }
            isRefused = metacopy == OverlayConvention.refusedMetacopy
            map = try handle.mark(upper.convention.blockMap)
            fresh = try handle.mark(upper.convention.fresh)
        }

        /// Whether the copy was made in another boot and never settled.
        func areLost() throws(Errno) -> Bool {
            guard let fresh else { return false }
            return try fresh != BootIdentity.current().bytes
        }
    }

    /// Reads the marks of a file; nil when all its bytes are its own. A copy that a power cut may have
    /// taken shows its layer's bytes from then on.
    /// - Throws: `EIO`, after a line in the log, for marks that make no sense, and on a read-only union
    ///   for such a copy.
    static func find(
        of handle: borrowing Descriptor, source: UInt64?, lower: LowerTree, upper: UpperTree
    ) throws(Errno) -> UpperData? {
        guard let marks = try Marks(of: handle, upper) else { return nil }
        let status = try handle.status()
        guard let source else {
            UnionLog.report("upper inode \(status.inode) has its bytes in a lower file that is not there")
            throw .ioError
        }
        if try marks.areLost() {
            return try takeBack(handle, to: source, marks, lower: lower, upper: upper)
        }
        let size = UInt64(clamping: status.size)
        let data: UpperData
        if let map = marks.map {
            guard let mark = BlockMapMark(map) else {
                UnionLog.report("upper inode \(status.inode): damaged block map mark")
                throw .ioError
            }
            // A crash in a truncation left the mark behind the size.
            data = UpperData(
                source: source, kind: .mapped(mark.name), limit: min(mark.limit, size),
                markIsStale: mark.limit > size, lower: lower, upper: upper)
        } else if marks.isRefused {
            data = UpperData(source: source, kind: .whole, limit: 0, lower: lower, upper: upper)
        } else {
            let length = try lower.node(source).size
            data = UpperData(
                source: source, kind: .lower, limit: min(length, size), lower: lower, upper: upper)
        }
        if !upper.unsettled.isReadOnly { try data.goOn(with: marks, handle) }
        return data
    }

    /// Takes up what the end of a process left: a copy that waits for its settling, or marks that were
    /// half set or half removed.
    private func goOn(with marks: Marks, _ handle: borrowing Descriptor) throws(Errno) {
        if isMetacopy {
            if marks.fresh != nil { try handle.removeMark(upper.convention.fresh) }
            return
        }
        if !marks.isRefused { try upper.setRefused(handle) }
        guard marks.fresh != nil || isWhole else { return }
        try upper.unsettled.makeRoom()
        let file = SharedDescriptor(try handle.reopen(O_RDONLY))
        try locked { (state) throws(Errno) in setStage(.marked(file), &state) }
    }

    /// Gives a copy that was not settled before a power cut the layer's bytes. Its attributes and names
    /// stay. The mark that says so goes last, so that a crash begins it anew.
    private static func takeBack(
        _ handle: borrowing Descriptor, to source: UInt64, _ marks: Marks, lower: LowerTree,
        upper: UpperTree
    ) throws(Errno) -> UpperData {
        let inode = try handle.status().inode
        UnionLog.report(
            "upper inode \(inode) was not synced before a restart of the machine"
                + (upper.unsettled.isReadOnly ? "" : ": it has the layer's bytes again"))
        guard !upper.unsettled.isReadOnly else { throw .ioError }
        let length = try lower.node(source).size
        guard let size = Int64(exactly: length) else { throw .fileTooLarge }
        let data = UpperData(source: source, kind: .lower, limit: length, lower: lower, upper: upper)
        try data.keepingAttributes(of: handle.reopen(O_WRONLY)) { (file) throws(Errno) in
            try file.truncate(to: 0)
            try file.truncate(to: size)
        }
        // Where the bytes are for overlayfs, whatever name the file has by now.
        try lower.path(of: source).withSpan { (bytes) throws(Errno) in
            try handle.setExtendedAttribute(upper.convention.redirect, bytes.raw)
        }
        let empty: [UInt8] = []
        try handle.setExtendedAttribute(upper.convention.metacopy, empty.raw)
        try handle.removeMark(upper.convention.blockMap)
        if let map = marks.map.flatMap({ BlockMapMark($0) }) { upper.maps.remove(map.name) }
        try handle.removeMark(upper.convention.fresh)
        return data
    }
}
