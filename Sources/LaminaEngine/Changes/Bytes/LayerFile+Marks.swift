// Where the bytes of a file of `upper` are, by its marks (docs/FORMAT-sandbox.md), which a server may be changing.

import LaminaCore
import LaminaSystem

/// The marks of a file that say where its bytes are.
private struct FileMarks: Equatable {
    let metacopy: [UInt8]
    let map: [UInt8]?
    let fresh: [UInt8]?
    /// Bytes of the upper file.
    let size: UInt64

    /// Nil for a file that has all its bytes. That it stays.
    init?(of file: borrowing Descriptor, _ names: OverlayConvention) throws(Errno) {
        guard let metacopy = try file.mark(names.metacopy) else { return nil }
        self.metacopy = metacopy
        map = try file.mark(names.blockMap)
        fresh = try file.mark(names.fresh)
        size = UInt64(clamping: try file.status().size)
    }
}

extension LayerFile {
    /// Where the bytes are, and how many. Marks come and go one by one: what they are before and after a look at
    /// what they name, they were at one time.
    static func find(
        _ file: borrowing Descriptor, _ path: ByteString, _ merged: UInt64?, _ tree: SandboxTree
    ) throws(LaminaError) -> (Kind, UInt64) {
        let thing = ByteString("/") + path
        func marks(_ file: borrowing Descriptor) throws(LaminaError) -> FileMarks? {
            do throws(Errno) {
                return try FileMarks(of: file, tree.marks)
            } catch {
                throw LaminaError(thing, error)
            }
        }
        for _ in 0..<100 {
            guard let before = try marks(file) else {
                let status = try Engine.system(thing) { () throws(Errno) in try file.status() }
                return (.whole, UInt64(clamping: status.size))
            }
            let found: Result<(Kind, UInt64), LaminaError>
            do throws(LaminaError) {
                guard let source = try tree.source(of: file, path, merged: merged) else {
                    throw LaminaError(
                        .failure, "\(thing)", "has its bytes in a file of the layers that is not there")
                }
                found = .success(try bytes(before, of: source, thing, tree))
            } catch {
                found = .failure(error)
            }
            if try marks(file) == before { return try found.get() }
        }
        throw LaminaError(.busy, "\(thing)", "changes too often to be read")
    }

    private static func bytes(
        _ marks: FileMarks, of source: UInt64, _ thing: ByteString, _ tree: SandboxTree
    ) throws(LaminaError) -> (Kind, UInt64) {
        let bytes = try tree.lower.open(source)
        if let fresh = marks.fresh {
            let boot = try Engine.system(thing) { () throws(Errno) in try BootIdentity.current().bytes }
            // A copy that was not synced before a power cut: the layer's bytes are back.
            if fresh != boot { return (.lower(bytes, limit: bytes.length), bytes.length) }
        }
        if let text = marks.map {
            guard let mark = BlockMapMark(text) else {
                throw LaminaError(.failure, "\(thing)", "has a damaged block map mark")
            }
            let map = try Engine.system(thing) { () throws(Errno) in
                try BlockMapFile(tree.openMap(mark.name), nid: source, size: bytes.length)
            }
            return (.mapped(bytes, map, limit: min(mark.limit, marks.size, bytes.length)), marks.size)
        }
        if marks.metacopy == OverlayConvention.refusedMetacopy { return (.whole, marks.size) }
        return (.lower(bytes, limit: min(bytes.length, marks.size)), marks.size)
    }
}
