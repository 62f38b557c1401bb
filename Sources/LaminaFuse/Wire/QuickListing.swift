// Listings of directories that only the layers know: from the mapped index straight into the
// answer. They need no open directory, because a position is one in the index.

import LaminaCore
import LaminaIndex
import LaminaUnion

extension Server {
    /// `FUSE_READDIR`: `struct fuse_read_in`.
    func quickListing(
        _ header: WireHeader, _ body: RawSpan, _ answer: inout WireAnswer
    ) throws(Errno) -> QuickAnswer {
        let (cookie, limit) = try place(body, answer)
        let isKnown = try union.forEachLayerEntry(of: NodeID(rawValue: header.node), from: cookie) {
            name, nid, type, next in
            let needed = WireAnswer.listedSize(name: name.count, withAttributes: false)
            guard answer.bodyCount &+ needed <= limit else { return false }
            answer.appendDirent(name, inode: nid, type: type, next: next)
            return true
        }
        return isKnown ? .ready : .none
    }

    /// `FUSE_READDIRPLUS`: `struct fuse_read_in`. Nodes of the layers are not counted, so that an entry
    /// with attributes needs no `FUSE_FORGET`.
    func quickFullListing(
        _ header: WireHeader, _ body: RawSpan, _ answer: inout WireAnswer
    ) throws(Errno) -> QuickAnswer {
        // Its names are for the kernel to remember.
        if union.ignoresCase { return .none }
        let directory = NodeID(rawValue: header.node)
        let (cookie, limit) = try place(body, answer)
        var outcome = QuickAnswer.ready
        var detail = listingAdvice.answer()
        var isLeftOut = false
        let isKnown = try union.forEachLayerEntry(of: directory, from: cookie) { name, nid, type, next in
            let needed = WireAnswer.listedSize(name: name.count, withAttributes: true)
            guard answer.bodyCount &+ needed <= limit else { return false }
            if type != .directory, detail != .full {
                isLeftOut = true
                if detail == .probing { detail = .full }
                answer.appendZeros(WireAnswer.entrySize)
            } else {
                guard appendEntry(of: nid, name, &answer) else {
                    // The next request starts here, and is not answered from the layers.
                    if answer.bodyCount == 0 { outcome = .none }
                    return false
                }
            }
            answer.appendDirent(name, inode: nid, type: type, next: next)
            return true
        }
        if isLeftOut { listingAdvice.leftOut(in: directory) }
        return isKnown ? outcome : .none
    }

    /// Where a listing goes on, and how many bytes it may have.
    private func place(
        _ body: RawSpan, _ answer: borrowing WireAnswer
    ) throws(Errno) -> (cookie: UInt64, limit: Int) {
        let size: UInt32 = try body.wire(at: 16)
        return (try body.wire(at: 8), min(Int(size), answer.room))
    }

    /// The attributes of a listed node; false when the sandbox has to be asked.
    @inline(__always)
    private func appendEntry(of nid: UInt64, _ name: Span<UInt8>, _ answer: inout WireAnswer) -> Bool {
        if name.isDot {
            answer.appendZeros(WireAnswer.entrySize)
            return true
        }
        guard let node = try? union.layerNode(NodeID(rawValue: nid)) else { return false }
        answer.appendEntry(node, identities)
        return true
    }
}

extension Span where Element == UInt8 {
    /// Whether this is `.` or `..`, of which the kernel wants no attributes.
    @inline(__always)
    fileprivate var isDot: Bool {
        let dot = UInt8(ascii: ".")
        guard count <= 2, count > 0, self[0] == dot else { return false }
        return count == 1 || self[1] == dot
    }
}
