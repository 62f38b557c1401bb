// QuickFixture owns a server over a small tree, and what it answers to requests as raw bytes.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaTestSupport

@testable import LaminaFuse
@testable import LaminaUnion

/// A server without a mount.
final class QuickFixture {
    private let store: TemporaryDirectory
    let server: Server
    var union: Union { server.union }

    init(_ layer: [FixtureEntry]) throws {
        let store = try TemporaryDirectory()
        self.store = store
        try FixtureStore.write([layer], to: store.descriptor)
        for name: ByteString in ["upper", "work"] { try store.descriptor.makeDirectories(name) }
        let union = try Union(
            lower: FixtureStore.lowerTree(in: store.descriptor),
            upper: store.descriptor.open("upper", OpenFlag.path | O_DIRECTORY),
            work: store.descriptor.open("work", O_RDONLY | O_DIRECTORY), UnionOptions())
        server = Server(
            union: union, MountOptions(mountpoint: "/", isReadOnly: false, isPrivileged: true)
        ) {}
    }

    /// The node at a path.
    func node(_ path: ByteString) throws -> UInt64 {
        var id = NodeID.root
        for name in path.components {
            guard let entry = try name.withSpan({ (name) throws(Errno) in try union.lookup(name, in: id) })
            else { throw Errno.noSuchFileOrDirectory }
            id = entry.id
        }
        return id.rawValue
    }

    /// What the server does with a request, and the body of its answer as the kernel would get it.
    func ask(_ opcode: UInt32, _ node: UInt64, _ body: [UInt8]) throws -> (QuickAnswer, [UInt8]) {
        var request: [UInt8] = []
        request += Self.bytes(UInt32(WireHeader.size + body.count))
        request += Self.bytes(opcode)
        request += Self.bytes(UInt64(99))
        request += Self.bytes(node)
        request += [UInt8](repeating: 0, count: 16)
        let header = try WireHeader((request + body).raw)
        var answer = WireAnswer()
        answer.start()
        let outcome = server.quickAnswer(header, body.raw, &answer)
        guard outcome == .ready else { return (outcome, []) }
        return (outcome, try Self.sent(answer))
    }

    private static func sent(_ answer: borrowing WireAnswer) throws -> [UInt8] {
        let sockets = try SocketPair()
        let far = try sockets.far.duplicate()
        let near = sockets.takeNear()
        answer.send(to: 99, near.rawValue)
        let count = WireAnswer.headerSize + answer.bodyCount
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: count - bytes.count)
            var space = piece.mutableSpan
            let got = try unsafe space.withUnsafeMutableBytes { (buffer) throws(Errno) in
                // SAFETY: the local array.
                try unsafe far.read(into: buffer)
            }
            bytes += piece[..<got]
        }
        return Array(bytes[WireAnswer.headerSize...])
    }

    static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) }
    }

    /// `struct fuse_read_in`.
    static func reading(_ offset: UInt64, _ size: UInt32) -> [UInt8] {
        bytes(UInt64(0)) + bytes(offset) + bytes(size) + [UInt8](repeating: 0, count: 20)
    }
}

extension [UInt8] {
    /// The little-endian number at `offset`.
    func number<Value: FixedWidthInteger>(_ offset: Int, as type: Value.Type) -> Value {
        (0..<Value.bitWidth / 8).reduce(0) {
            $0 | Value(truncatingIfNeeded: self[offset + $1]) << Value(8 * $1)
        }
    }
}
