// The requests that the layers alone can answer: without libfuse, lock, allocation or retain.
// Whatever the sandbox may have a say in goes on to libfuse.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaUnion

/// What became of a request that may have a quick answer.
enum QuickAnswer: Equatable {
    /// The answer is written and has to be sent.
    case ready
    /// The answer is an error.
    case failed(Errno)
    /// The request takes no answer, and is done with.
    case silent
    /// Somebody else has to answer.
    case none
}

extension Server {
    /// Answers a request where that takes no lock.
    /// - Parameters:
    ///   - body: what follows the header.
    ///   - answer: receives the body of the answer.
    @inline(__always)
    func quickAnswer(
        _ header: WireHeader, _ body: RawSpan, _ answer: inout WireAnswer
    ) -> QuickAnswer {
        do throws(Errno) {
            switch header.opcode {
            case Opcode.lookup: return try quickLookup(header, body, &answer)
            case Opcode.getattr: return try quickAttributes(header, &answer)
            case Opcode.readdirplus: return try quickFullListing(header, body, &answer)
            case Opcode.readdir: return try quickListing(header, body, &answer)
            case Opcode.read: return try quickRead(header, body, &answer)
            case Opcode.readlink: return try quickSymlink(header, &answer)
            case Opcode.getxattr: return try quickExtendedAttribute(header)
            case Opcode.listxattr: return try quickAttributeNames(header, body, &answer)
            case Opcode.forget: return try quickForget(header)
            case Opcode.batchForget: return try quickForgets(body)
            // The kernel repeats it for every file that a program asks whether it is a terminal.
            case Opcode.ioctl: return .failed(.inappropriateIOCTLForDevice)
            // Nothing here can be interrupted; the kernel then stops asking.
            case Opcode.interrupt: return .failed(.noFunction)
            default: return .none
            }
        } catch {
            return .failed(error)
        }
    }

    /// `FUSE_LOOKUP`: a name.
    @inline(__always)
    private func quickLookup(
        _ header: WireHeader, _ body: RawSpan, _ answer: inout WireAnswer
    ) throws(Errno) -> QuickAnswer {
        if union.ignoresCase { return .none }
        let parent = NodeID(rawValue: header.node)
        switch try union.layerLookup(try body.wireNameSpan(at: 0), in: parent) {
        case .undecided:
            listingAdvice.lookedUp(in: parent)
            return .none
        case .absent: answer.appendEntry(nil, nil)
        case .found(_, let node):
            listingAdvice.lookedUp(in: parent)
            answer.appendEntry(node, identities)
        }
        return .ready
    }

    /// `FUSE_GETATTR`.
    @inline(__always)
    private func quickAttributes(
        _ header: WireHeader, _ answer: inout WireAnswer
    ) throws(Errno) -> QuickAnswer {
        guard let node = try union.layerNode(NodeID(rawValue: header.node)) else { return .none }
        answer.appendAttributes(node, identities)
        return .ready
    }

    /// `FUSE_READLINK`.
    private func quickSymlink(
        _ header: WireHeader, _ answer: inout WireAnswer
    ) throws(Errno) -> QuickAnswer {
        let isKnown = try union.withLayerSymlink(NodeID(rawValue: header.node)) { answer.append($0) }
        return isKnown ? .ready : .none
    }

    /// `FUSE_GETXATTR` of a node that has none: `security.capability` at every program's start.
    private func quickExtendedAttribute(_ header: WireHeader) throws(Errno) -> QuickAnswer {
        guard let node = try union.layerNode(NodeID(rawValue: header.node)), !node.hasExtendedAttributes
        else { return .none }
        return .failed(.noData)
    }

    /// `FUSE_LISTXATTR` of a node that has none: `struct fuse_getxattr_in`.
    private func quickAttributeNames(
        _ header: WireHeader, _ body: RawSpan, _ answer: inout WireAnswer
    ) throws(Errno) -> QuickAnswer {
        guard let node = try union.layerNode(NodeID(rawValue: header.node)), !node.hasExtendedAttributes
        else { return .none }
        let size: UInt32 = try body.wire(at: 0)
        // Size 0 asks how many bytes the names take: `struct fuse_getxattr_out`.
        if size == 0 { answer.append(UInt64(0)) }
        return .ready
    }

    /// `FUSE_READ` of a file in a layer's stream: `struct fuse_read_in`. It needs no open file.
    private func quickRead(
        _ header: WireHeader, _ body: RawSpan, _ answer: inout WireAnswer
    ) throws(Errno) -> QuickAnswer {
        let offset: UInt64 = try body.wire(at: 8)
        let size: UInt32 = try body.wire(at: 16)
        let isKnown = try unsafe answer.append(atMost: Int(size)) { (buffer) throws(Errno) in
            // SAFETY: the answer's own memory.
            try unsafe union.readLayers(NodeID(rawValue: header.node), into: buffer, at: offset)
        }
        return isKnown ? .ready : .none
    }

    /// `FUSE_FORGET`. Nodes of the layers are not counted.
    private func quickForget(_ header: WireHeader) throws(Errno) -> QuickAnswer {
        union.isUncounted(NodeID(rawValue: header.node)) ? .silent : .none
    }

    /// `FUSE_BATCH_FORGET`: `struct fuse_batch_forget_in`, then `struct fuse_forget_one` for each
    /// node. Takes the namespace's lock for nodes of the sandbox.
    private func quickForgets(_ body: RawSpan) throws(Errno) -> QuickAnswer {
        guard let count: UInt32 = try? body.wire(at: 0) else { return .silent }
        for index in 0..<Int(count) {
            let offset = 8 &+ index &* 16
            guard let node: UInt64 = try? body.wire(at: offset),
                let lookups: UInt64 = try? body.wire(at: offset &+ 8)
            else { return .silent }
            union.forget(NodeID(rawValue: node), count: lookups)
        }
        return .silent
    }
}
